"""Orange Money Web Payment (CI, ML, GN, CD, CM): words, token, connector."""

from cauri.operators.orange_webpay.connector import OrangeWebPay
from cauri.operators.orange_webpay.words import ROUTES_OF_COUNTRY

__all__ = ["ROUTES_OF_COUNTRY", "OrangeWebPay"]
