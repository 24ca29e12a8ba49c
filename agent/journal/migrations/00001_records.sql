-- +goose Up
-- place is the order of writing over all proposals; it only grows.
CREATE TABLE records (
    place INTEGER PRIMARY KEY AUTOINCREMENT,
    proposal TEXT NOT NULL,
    seq BIGINT NOT NULL,
    type TEXT NOT NULL,
    time TIMESTAMP NOT NULL,
    digest TEXT NOT NULL,
    body TEXT NOT NULL,
    UNIQUE (proposal, seq)
);
CREATE INDEX records_by_type ON records (type);
CREATE TABLE proposals (
    proposal TEXT PRIMARY KEY,
    chain TEXT NOT NULL,
    governor TEXT NOT NULL,
    name TEXT NOT NULL,
    number TEXT NOT NULL,
    number_hex TEXT NOT NULL,
    stage TEXT NOT NULL,
    vote TEXT NOT NULL,
    seq BIGINT NOT NULL,
    created_block BIGINT NOT NULL
);
CREATE INDEX proposals_by_name ON proposals (name, number_hex);
CREATE INDEX proposals_by_stage ON proposals (chain, stage);
CREATE INDEX proposals_by_vote ON proposals (chain, vote);
CREATE TABLE cursors (
    chain TEXT PRIMARY KEY,
    cursor TEXT NOT NULL,
    recent TEXT NOT NULL
);
CREATE TABLE coverage (
    chain TEXT NOT NULL,
    from_block BIGINT NOT NULL,
    to_block BIGINT NOT NULL,
    to_hash TEXT NOT NULL,
    PRIMARY KEY (chain, from_block)
);
-- how far a reader of the records has come
CREATE TABLE marks (
    name TEXT PRIMARY KEY,
    place BIGINT NOT NULL
);

-- +goose Down
DROP TABLE marks;
DROP TABLE coverage;
DROP TABLE cursors;
DROP TABLE proposals;
DROP TABLE records;
