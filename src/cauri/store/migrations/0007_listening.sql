-- A site's notifications in the order of their changes, for those who listen; failed deliveries are found without reading past the
-- others; alerts that are raised, so that each is told once whatever the number of processes.

CREATE INDEX notification_of_site ON notification (site_id, since);
CREATE INDEX delivery_failed ON delivery (site_id, at) WHERE (status IS NULL OR status >= 300);
CREATE INDEX delivery_failed_at ON delivery (at) WHERE (status IS NULL OR status >= 300);

CREATE TABLE alert (
    name {text} PRIMARY KEY,
    since BIGINT NOT NULL,
    told_at BIGINT NOT NULL,
    detail {text} NOT NULL
);
