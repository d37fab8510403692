-- While a site changes its secret key, notifications are signed with the old one too, until then.

ALTER TABLE site ADD COLUMN sealed_old_secret_key {text};
ALTER TABLE site ADD COLUMN old_secret_until BIGINT;
