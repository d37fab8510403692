"""Orange Money WebPay (api.orange.com): token, payment, hosted page for number and one-time code, status, notification.

From Orange's "getting started" for developers (2019) and public integrations. Where they are silent (a repeated
`order_id`, the state after Cancel, most error codes) docs/sandbox.md says what the simulator does.
"""

from cauri.simulator.dialects.orange_webpay.doors import DIALECT, OrangeWebPay

__all__ = ["DIALECT", "OrangeWebPay"]
