-- +goose Up
-- n is the order in which alerts are delivered; it only grows. id is the same however often an alert is made.
CREATE TABLE alerts (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    alert TEXT NOT NULL,
    card TEXT NOT NULL
);
-- up to which place records have been made into alerts; what was there before stays untold.
CREATE TABLE alert_source (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    place BIGINT NOT NULL
);
INSERT INTO alert_source (one, place) SELECT 1, COALESCE(MAX(place), 0) FROM records;
-- how far each channel is, and what went wrong last.
CREATE TABLE deliveries (
    channel TEXT PRIMARY KEY,
    n BIGINT NOT NULL,
    delivered BIGINT NOT NULL DEFAULT 0,
    tries BIGINT NOT NULL DEFAULT 0,
    error TEXT NOT NULL DEFAULT ''
);
-- alerts that a channel would not take as they are.
CREATE TABLE refusals (
    channel TEXT NOT NULL,
    n BIGINT NOT NULL,
    error TEXT NOT NULL,
    PRIMARY KEY (channel, n)
);
-- what a channel remembers, such as the message of a proposal.
CREATE TABLE channel_notes (
    channel TEXT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (channel, name)
);
-- the clocks of emergency rules.
CREATE TABLE watches (
    rule TEXT NOT NULL,
    about TEXT NOT NULL,
    result TEXT NOT NULL,
    watch TEXT NOT NULL,
    PRIMARY KEY (rule, about, result)
);

-- +goose Down
DROP TABLE watches;
DROP TABLE channel_notes;
DROP TABLE refusals;
DROP TABLE deliveries;
DROP TABLE alert_source;
DROP TABLE alerts;
