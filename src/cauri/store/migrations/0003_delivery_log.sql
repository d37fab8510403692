-- Deliveries can be listed by site and by time, and pruned by age. number: which try of its state it was.

ALTER TABLE delivery ADD COLUMN site_id {text} NOT NULL DEFAULT '';
ALTER TABLE delivery ADD COLUMN transaction_id {text} NOT NULL DEFAULT '';
ALTER TABLE delivery ADD COLUMN number INTEGER NOT NULL DEFAULT 0;
CREATE INDEX delivery_of_site ON delivery (site_id, at);
CREATE INDEX delivery_at ON delivery (at);
