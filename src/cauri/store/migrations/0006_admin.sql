-- Who may use the admin doors, and what was done with them. A token itself is never kept: token_hash is its SHA-256 in hex.
-- scopes and sites are JSON lists; sites NULL means all. Among the tokens that were not revoked a label is used once.

CREATE TABLE admin_token (
    token_hash {text} PRIMARY KEY,
    label {text} NOT NULL,
    scopes {text} NOT NULL,
    sites {text},
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    last_used_at BIGINT,
    revoked_at BIGINT
);
CREATE UNIQUE INDEX admin_token_label ON admin_token (label) WHERE revoked_at IS NULL;

CREATE TABLE admin_audit (
    at BIGINT NOT NULL,
    audit_id {text} NOT NULL,
    label {text} NOT NULL,
    address {text} NOT NULL,
    what {text} NOT NULL,
    target {text} NOT NULL,
    result {text} NOT NULL,
    PRIMARY KEY (at, audit_id)
);
