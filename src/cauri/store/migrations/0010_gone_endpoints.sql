-- gone: parked by a 410 alone, so that nothing else there waits for its answer.

ALTER TABLE endpoint ADD COLUMN gone INTEGER NOT NULL DEFAULT 0;
