-- +goose Up
-- what was read for each governor; a store of before does not know, and reads their past once more.
ALTER TABLE cursors ADD COLUMN followed TEXT NOT NULL DEFAULT '[]';

-- +goose Down
ALTER TABLE cursors DROP COLUMN followed;
