-- Where a notification goes: site_id and origin of its notify_url ('' in rows that are older than this, filled in by the notifier).
-- brought_at: when it was last brought forward because its endpoint answered again.

ALTER TABLE notification ADD COLUMN endpoint {text} NOT NULL DEFAULT '';
ALTER TABLE notification ADD COLUMN brought_at BIGINT NOT NULL DEFAULT 0;
CREATE INDEX notification_of_endpoint ON notification (endpoint, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX notification_parked ON notification (endpoint, parked_at) WHERE parked_at IS NOT NULL;
CREATE INDEX notification_of_site ON notification (site_id, since);

-- Endpoints in trouble only, shared by all processes. answered_at: when it began to answer again; probe_at: when it is tried next.
CREATE TABLE endpoint (
    endpoint {text} PRIMARY KEY,
    site_id {text} NOT NULL,
    state {text} NOT NULL CHECK (state IN ('open', 'parked', 'catching_up', 'closed')),
    since BIGINT NOT NULL,
    failures INTEGER NOT NULL,
    probe_at BIGINT NOT NULL,
    answered_at BIGINT NOT NULL,
    claimed_until BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    error {text} NOT NULL
);
CREATE INDEX endpoint_changed ON endpoint (changed_at);
CREATE INDEX endpoint_probe ON endpoint (probe_at) WHERE state IN ('open', 'parked');
