"""Sites' secret keys at rest: sealed with the instance's own key, so that a copy of the database signs nothing."""

from __future__ import annotations

import base64
import hashlib
import hmac

from cryptography.fernet import Fernet, InvalidToken

from cauri.domain.errors import StoreUnavailable


class Vault:
    """``secret`` is the instance's setting of that name: any text of 16 characters or more."""

    def __init__(self, secret: str) -> None:
        digest = hashlib.sha256(b"cauri vault\0" + secret.encode()).digest()
        self._fernet = Fernet(base64.urlsafe_b64encode(digest))
        self._marking = hashlib.sha256(b"cauri marks\0" + secret.encode()).digest()

    def sealed(self, text: str) -> str:
        return self._fernet.encrypt(text.encode()).decode()

    def mark(self, *texts: str) -> str:
        """A mark by which these texts are known again and not read back, not even by trying them all: 32 hex digits."""
        message = "\0".join(texts).encode("utf-8", "surrogatepass")
        return hmac.digest(self._marking, message, "sha256").hex()[:32]

    def opened(self, sealed: str) -> str:
        """Raises StoreUnavailable where the text was sealed with another secret."""
        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except InvalidToken:
            raise StoreUnavailable(
                "a site's secret key was sealed with another 'secret' than this instance has; set the one it was made with"
            ) from None
