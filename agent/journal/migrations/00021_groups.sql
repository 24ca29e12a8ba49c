-- +goose Up
-- alerts that are told as one: what was told of each group, and from when what waits is told, 0 where nothing does.
CREATE TABLE alert_groups (
    name TEXT PRIMARY KEY,
    due BIGINT NOT NULL,
    body TEXT NOT NULL
);

-- +goose Down
DROP TABLE alert_groups;
