-- What an operator called an attempt when it was started, where it must be asked by its own name.

ALTER TABLE attempt ADD COLUMN handle {text};
