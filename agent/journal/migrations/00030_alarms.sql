-- +goose Up
-- watched numbers that cannot be read.
CREATE TABLE sights (
    metric TEXT PRIMARY KEY,
    sight TEXT NOT NULL
);
-- how many deliveries failed, those that worked at a later try too.
ALTER TABLE deliveries ADD COLUMN failed BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE deliveries DROP COLUMN failed;
DROP TABLE sights;
