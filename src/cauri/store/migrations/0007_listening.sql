-- Failed deliveries are found without reading past the others, parked notifications in the order of their parking; alerts that are
-- raised are rows, so that each is told once whatever the number of processes.

CREATE INDEX delivery_failed ON delivery (site_id, at) WHERE (status IS NULL OR status >= 300);
CREATE INDEX delivery_failed_at ON delivery (at) WHERE (status IS NULL OR status >= 300);
CREATE INDEX notification_parked_at ON notification (parked_at) WHERE parked_at IS NOT NULL;

CREATE TABLE alert (
    name {text} PRIMARY KEY,
    since BIGINT NOT NULL,
    told_at BIGINT NOT NULL,
    detail {text} NOT NULL
);
