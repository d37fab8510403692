"""The two requests as types with their rules, for the OpenAPI document. What reads them is ``requests``; a test keeps both the same."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from cauri.domain.methods import CHANNELS
from cauri.wire.requests import DESCRIPTION_MAX, INVOICE_PAIRS_MAX, METADATA_MAX, TRANSACTION_ID_MAX

WholeNumber = Annotated[
    int | Annotated[str, Meta(pattern=r"^-?\d+(\.0*)?$", max_length=30)],
    Meta(description="A whole number, or its digits as text."),
]
NumberOrText = Annotated[str, Meta(min_length=1)] | int
Switch = bool | Literal[0, 1] | Annotated[str, Meta(pattern="^([Tt][Rr][Uu][Ee]|[Ff][Aa][Ll][Ss][Ee]|[01])$")]
WebUrl = Annotated[str, Meta(pattern=r"^[Hh][Tt][Tt][Pp][Ss]?://[^\s/?#@:\[\]\\]+([/?#]\S*)?$")]
Labelled = Annotated[dict[str, str | int | None], Meta(max_length=INVOICE_PAIRS_MAX)]
Metadata = Annotated[str, Meta(max_length=METADATA_MAX)] | int | float | bool | list[Any] | dict[str, Any]
Channel = Literal["ALL", "MOBILE_MONEY", "WALLET", "CREDIT_CARD"]
_CHANNELS_PATTERN = "^({0})(,({0}))*$".format("|".join(CHANNELS))


class PaymentFields(msgspec.Struct, omit_defaults=True):
    """A payment to open. `null` and the empty text count as absent, unknown fields are ignored, numbers may come as text."""

    apikey: Annotated[NumberOrText, Meta(description="Your key. `apiKey` is read where this is absent.")]
    site_id: Annotated[NumberOrText, Meta(description="Your site.", examples=["445160"])]
    transaction_id: Annotated[
        Annotated[str, Meta(min_length=1, max_length=TRANSACTION_ID_MAX)] | int,
        Meta(
            description="Your name for the payment: unique for your site for ever, printable, no space at its ends."
        ),
    ]
    amount: Annotated[
        WholeNumber,
        Meta(
            description="Whole currency units; a multiple of 5 except in USD; inside the bounds.",
            examples=[100],
        ),
    ]
    currency: Annotated[
        Literal["XOF", "XAF", "CDF", "GNF", "USD"], Meta(description="One that is enabled for the site.")
    ]
    description: Annotated[
        Annotated[str, Meta(min_length=1, max_length=DESCRIPTION_MAX)] | int,
        Meta(description="Shown to the customer."),
    ]
    return_url: Annotated[
        WebUrl, Meta(description="Where the customer goes at the end; its query string is kept.")
    ]
    notify_url: Annotated[WebUrl | None, Meta(description="Where we tell that something changed.")] = None
    customer_name: Annotated[str | int | None, Meta(description="Last name.")] = None
    customer_surname: Annotated[str | int | None, Meta(description="First name.")] = None
    channels: Annotated[
        str | list[Channel] | None,
        Meta(
            description="What the page offers: `ALL` (default), `MOBILE_MONEY`, `WALLET`, `CREDIT_CARD`, a comma list or a list.",
            # Said here, where it speaks of text only: msgspec 0.22 writes outside its memory when text with a pattern
            # and a list share a union.
            extra_json_schema={"pattern": _CHANNELS_PATTERN},
        ),
    ] = None
    lang: Annotated[
        str | None, Meta(description="`fr` (default) or `en`; anything else counts as absent.")
    ] = None
    metadata: Annotated[
        Metadata | None,
        Meta(
            description="Echoed by check and in `cpm_custom`; what is not text is kept as its compact JSON text."
        ),
    ] = None
    invoice_data: Annotated[
        Labelled | None,
        Meta(
            description="Up to 3 labelled values for page and receipt; in forms `invoice_data[label]=value` or JSON text."
        ),
    ] = None
    lock_phone_number: Annotated[
        Switch | None, Meta(description="true fills and locks the payer's number.")
    ] = None
    customer_phone_number: Annotated[
        str | int | None, Meta(description="International format.", examples=["+2250102324373"])
    ] = None
    customer_id: Annotated[
        str | int | None, Meta(description="Card block: the card is offered when all is complete.")
    ] = None
    customer_email: Annotated[str | int | None, Meta(description="Card block.")] = None
    customer_address: Annotated[str | int | None, Meta(description="Card block.")] = None
    customer_city: Annotated[str | int | None, Meta(description="Card block.")] = None
    customer_country: Annotated[
        str | int | None, Meta(description="Card block: ISO alpha-2.", examples=["CI"])
    ] = None
    customer_state: Annotated[str | int | None, Meta(description="Card block.")] = None
    customer_zip_code: Annotated[str | int | None, Meta(description="Card block.")] = None
    alternative_currency: Annotated[str | int | None, Meta(description="Accepted and ignored.")] = None


class CheckFields(msgspec.Struct, omit_defaults=True):
    """A payment to look up: by `transaction_id` first, then by the token. One of the three names is required."""

    apikey: Annotated[NumberOrText, Meta(description="Your key. `apiKey` is read where this is absent.")]
    site_id: Annotated[NumberOrText, Meta(description="Your site.", examples=["445160"])]
    transaction_id: Annotated[str | int | None, Meta(description="Your name for the payment.")] = None
    payment_token: Annotated[str | int | None, Meta(description="The token of the answer 201.")] = None
    token: Annotated[str | int | None, Meta(description="The same, by its later name.")] = None
