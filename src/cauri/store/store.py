"""The store as the rest of the engine sees it: payments, attempts, notifications, sites.

Hot operations are grouped: see ``group_commit``. Every method may raise StoreUnavailable; writes may raise StoreRefused.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from cauri.domain.limits import Verdict
from cauri.domain.payment import Attempt, Change, Payment, Surplus, Timeline, slot_of, slot_of_token
from cauri.domain.site import Site
from cauri.store.admin import AdminRecords
from cauri.store.books import Books
from cauri.store.delivery_log import DeliveryLog
from cauri.store.engine import Engine
from cauri.store.figures import Figures
from cauri.store.group_commit import Group
from cauri.store.notifications import NotificationQueue
from cauri.store.operations import apply_changes, open_payments, record_deliveries, release_asks
from cauri.store.rows import (
    AskedAgain,
    Delivered,
    asked_fields,
    attempt_of,
    delivered_fields,
    delivery_of,
    history_of,
    payment_of,
    site_fields,
    site_of,
    slot_of_reference,
    surplus_of,
)
from cauri.store.statements import Statements
from cauri.store.vault import Vault


class NotificationState(msgspec.Struct, frozen=True):
    """What is still to be told about a payment; versions are the payment's."""

    due_version: int
    told_version: int
    tried_version: int
    due_at: int | None
    since: int
    tries: int
    parked_at: int | None


class Store(Statements):
    def __init__(self, engine: Engine, vault: Vault) -> None:
        super().__init__(engine)
        self.engine = engine
        self._vault = vault
        self.notifications = NotificationQueue(engine)
        self.deliveries = DeliveryLog(engine)
        self.books = Books(engine)
        self.figures = Figures(engine)
        self.admin = AdminRecords(engine)
        lanes = engine.lanes
        self._opening = Group[Payment, Payment](
            lambda rows: engine.write(lambda: open_payments(rows), single=True), lanes=lanes
        )
        self._changing = Group[Change, Verdict](
            lambda rows: engine.write(lambda: apply_changes(rows)),
            lanes=lanes,
            key=lambda change: change.after.token,
        )
        self._delivering = Group[dict[str, Any], bool](
            lambda rows: engine.write(lambda: record_deliveries(rows), single=True),
            lanes=lanes,
            key=lambda row: row["token"],
        )
        self._releasing = Group[dict[str, Any], bool](
            lambda rows: engine.write(lambda: release_asks(rows)),
            lanes=lanes,
            key=lambda row: row["reference"],
        )
        self._by_transaction = Group[tuple[str, str], Payment | None](self._read_by_transaction, lanes=lanes)
        self._by_token = Group[str, Payment | None](self._read_by_token, lanes=lanes)

    async def close(self) -> None:
        await self.engine.close()

    async def ready(self) -> bool:
        """Whether the database can answer. Raises StoreUnavailable where it cannot be reached."""
        return bool(await self._read("ready"))

    # payments

    async def open_payment(self, payment: Payment) -> Payment:
        """Writes a new payment; gives back what the database holds under its transaction_id (another token: an older payment)."""
        return await self._opening.submit(payment)

    async def apply(self, change: Change) -> Verdict:
        """Writes a change: True. False where the payment has moved on since it was read, a limit where the change's guard does
        not hold; nothing was written then."""
        return await self._changing.submit(change)

    async def payment_by_transaction(self, site_id: str, transaction_id: str) -> Payment | None:
        return await self._by_transaction.submit((site_id, transaction_id))

    async def payment_by_token(self, token: str) -> Payment | None:
        """None also for a text that is no token."""
        if not _is_token(token):
            return None
        return await self._by_token.submit(token)

    async def payments_by_tokens(self, tokens: Sequence[str]) -> dict[str, Payment]:
        """Those of these payments that exist, as they are now, by token."""
        found = await self._read_by_token(list(tokens))
        return {payment.token: payment for payment in found if payment is not None}

    async def versions(self, tokens: Sequence[str]) -> dict[str, int]:
        """The newest version of each of these payments that exists."""
        rows = [{"slot": slot_of_token(token), "token": token} for token in tokens if _is_token(token)]
        return {row[0]: row[1] for row in await self._read_rows("versions", rows)}

    async def expired(self, now: int, limit: int) -> list[Payment]:
        """Waiting payments whose session is over and that have nothing in flight."""
        return [payment_of(row) for row in await self._read("expired_payments", now=now, limit=limit)]

    async def timeline(self, payment: Payment) -> Timeline:
        """Everything that is known of a payment."""
        key = {"slot": payment.slot, "token": payment.token}
        notification = await self.notification(payment)
        return Timeline(
            payment=payment,
            history=tuple(history_of(row) for row in await self._read("history_of", **key)),
            attempts=tuple(await self.attempts(payment)),
            deliveries=tuple(delivery_of(row) for row in await self._read("deliveries_of", **key)),
            surpluses=tuple(await self.surpluses(payment)),
            notification=None if notification is None else msgspec.structs.asdict(notification),
        )

    async def surpluses(self, payment: Payment) -> list[Surplus]:
        """Money received for a payment after its end, given back or not."""
        rows = await self._read("surpluses_of", slot=payment.slot, token=payment.token)
        return [surplus_of(row) for row in rows]

    # attempts

    async def attempts(self, payment: Payment) -> list[Attempt]:
        """Oldest first."""
        rows = await self._read("attempts_of", slot=payment.slot, token=payment.token)
        return [attempt_of(row) for row in rows]

    async def attempt_by_reference(self, reference: str) -> Attempt | None:
        """The attempt that an operator knows by this reference; None also for a text that is no reference of ours."""
        slot = slot_of_reference(reference)
        if slot is None:
            return None
        rows = await self._read("attempt_by_reference", slot=slot, reference=reference)
        return attempt_of(rows[0]) if rows else None

    async def connectors_due(self, connectors: Sequence[str], now: int) -> list[str]:
        """Those of these connectors that have a question that is due."""
        rows = [{"connector": name} for name in connectors]
        found = await self._read_rows("connectors_due", rows, now=now) if rows else []
        return [row[0] for row in found]

    async def connectors_in_flight(self) -> list[str]:
        return [row[0] for row in await self._read("connectors_in_flight")]

    async def claim_asks(
        self, *, connector: str, now: int, until: int, claim: str, limit: int
    ) -> list[Attempt]:
        """A connector's attempts whose question is due, leased to ``claim`` until ``until``."""
        rows = await self._write(
            "claim_asks", connector=connector, now=now, until=until, claim=claim, limit=limit
        )
        return [attempt_of(row) for row in rows]

    async def release_ask(self, asked: AskedAgain) -> bool:
        """False where the claim was no longer ours, and nothing was written."""
        return await self._releasing.submit(asked_fields(asked))

    async def hint(self, reference: str, now: int) -> bool:
        """Brings the next question about an attempt forward; False where there is no such attempt or a hint is already waiting."""
        slot = slot_of_reference(reference)
        return slot is not None and bool(await self._write("hint", slot=slot, reference=reference, now=now))

    async def unended(self, before: int, limit: int = 500) -> list[tuple[Attempt, str, str]]:
        """Attempts sent before a moment that have no end, with their site_id and transaction_id; oldest first."""
        rows = await self._read("unended_attempts", before=before, limit=limit)
        return [(attempt_of(row[:-2]), row[-2], row[-1]) for row in map(tuple, rows)]

    def mark(self, *texts: str) -> str:
        """See ``Vault.mark``."""
        return self._vault.mark(*texts)

    async def prune_prompts(self, before: int) -> None:
        """Forgets prompts, and who was counted, from before a moment."""
        await self._write("prune_prompts", before=before)
        await self._write("prune_payer_locks", before=before)

    # notifications

    async def record_delivery(self, delivered: Delivered) -> bool:
        """False where the claim was no longer ours: the delivery is recorded, the notification is left to its new holder."""
        return await self._delivering.submit(delivered_fields(delivered))

    async def notification(self, payment: Payment) -> NotificationState | None:
        """None where nothing was ever to be told."""
        rows = await self._read("notification_of", slot=payment.slot, token=payment.token)
        return NotificationState(*rows[0]) if rows else None

    async def last_notify_url(self, site_id: str) -> str | None:
        """The notify_url of the site's newest delivery; None where there was none, or none is kept any more."""
        rows = await self._read("last_notify_url", site_id=site_id)
        return str(rows[0][0]) if rows else None

    # sites and keys

    async def sites(self) -> list[Site]:
        return [site_of(row, self._vault) for row in await self._read("sites")]

    async def site(self, site_id: str) -> Site | None:
        rows = await self._read("site_by_id", site_id=site_id)
        return site_of(rows[0], self._vault) if rows else None

    async def sites_of_key(self, key_hash: str, now: int) -> tuple[Site, ...] | None:
        """The sites that a key opens; None where the key is unknown or revoked. ``key_hash``: SHA-256 of the key, hex."""
        rows = await self._read("sites_of_key", key_hash=key_hash, now=now)
        return tuple(site_of(row, self._vault) for row in rows) or None

    async def add_site(self, site: Site) -> bool:
        """False where the site_id is taken, and nothing was written."""
        return bool(await self._write("insert_site", **site_fields(site, self._vault)))

    async def save_site(self, site: Site) -> None:
        await self._write("upsert_site", **site_fields(site, self._vault))

    async def change_site(self, site: Site) -> bool:
        """Writes a site's name, status and settings, never its secret keys. False where there is no such site."""
        fields = site_fields(site, self._vault)
        names = ("site_id", "name", "status", "currencies", "countries", "settings")
        return bool(await self._write("change_site", **{name: fields[name] for name in names}))

    async def rotate_secret(self, site_id: str, secret_key: str, *, until: int, now: int) -> bool:
        """A new secret key; the old one signs beside it until ``until``. False where a rotation is under way, or no such site."""
        sealed = self._vault.sealed(secret_key)
        return bool(await self._write("rotate_secret", site_id=site_id, sealed=sealed, until=until, now=now))

    async def finish_rotation(self, site_id: str, now: int) -> bool:
        """The old secret key ends now and is forgotten. False where no rotation is under way."""
        return bool(await self._write("finish_rotation", site_id=site_id, now=now))

    async def drop_old_secrets(self, now: int) -> int:
        """Forgets the old secret keys whose grace is over; how many."""
        return len(await self._write("drop_old_secrets", now=now))

    async def give_key(self, key_hash: str, site_id: str, *, label: str, now: int) -> None:
        """The key opens the site from now on; only its hash is kept."""
        await self._write("insert_key", key_hash=key_hash, label=label, created_at=now)
        await self._write("give_key", key_hash=key_hash, site_id=site_id)

    async def revoke_other_keys(self, site_id: str, keep: str, at: int) -> None:
        """The site refuses every key but ``keep`` (a hash) from ``at`` on."""
        await self._write("revoke_other_keys", site_id=site_id, keep=keep, at=at)

    async def keys_of_site(self, site_id: str) -> list[tuple[str, int, int | None]]:
        """Label, made at, refused from; newest first."""
        return [(row[0], row[1], row[2]) for row in await self._read("keys_of_site", site_id=site_id)]

    async def _read_by_transaction(self, keys: list[tuple[str, str]]) -> list[Payment | None]:
        rows = [
            {"slot": slot_of(site, name), "site_id": site, "transaction_id": name}
            for site, name in dict.fromkeys(keys)
        ]
        found = await self._read_rows("payments_by_transaction", rows)
        payments = {(payment.site_id, payment.transaction_id): payment for payment in map(payment_of, found)}
        return [payments.get(key) for key in keys]

    async def _read_by_token(self, tokens: list[str]) -> list[Payment | None]:
        rows = [{"slot": slot_of_token(token), "token": token} for token in dict.fromkeys(tokens)]
        found = await self._read_rows("payments_by_token", rows)
        payments = {payment.token: payment for payment in map(payment_of, found)}
        return [payments.get(token) for token in tokens]


def _is_token(text: str) -> bool:
    return len(text) == 34 and text.isascii() and all(character in "0123456789abcdef" for character in text)
