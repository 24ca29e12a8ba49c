-- +goose Up
-- what was cut out of the bodies of records, each piece once.
CREATE TABLE parts (
    digest BLOB PRIMARY KEY,
    body BLOB NOT NULL
);
-- the block in which a change was read, 0 for other records: what a reorganisation may take back.
ALTER TABLE records ADD COLUMN block BIGINT NOT NULL DEFAULT 0;
UPDATE records SET block = CASE WHEN json_valid(body) THEN COALESCE(json_extract(body, '$.change.block.block'), 0) ELSE 0 END WHERE type = 'WasChanged';
CREATE INDEX records_by_block ON records (block) WHERE block > 0;
-- the votes as planning needs them: made of the records, in the transaction that appends to them. The next daemon makes
-- them for the records that are there.
CREATE TABLE votes (
    proposal TEXT PRIMARY KEY,
    chain TEXT NOT NULL,
    governor TEXT NOT NULL,
    status TEXT NOT NULL,
    stake BIGINT NOT NULL,
    waits BOOLEAN NOT NULL,
    turn TEXT NOT NULL,
    -- of a vote that was bound; empty, and 0, without one
    voter TEXT NOT NULL,
    support TEXT NOT NULL,
    by TEXT NOT NULL,
    plan TEXT NOT NULL,
    vote TEXT NOT NULL,
    bound_at BIGINT NOT NULL
);
CREATE INDEX votes_waiting ON votes (chain) WHERE waits;
CREATE INDEX votes_bound ON votes (chain, governor, bound_at) WHERE bound_at > 0;
CREATE INDEX votes_by_status ON votes (chain, status);

-- +goose Down
DROP TABLE votes;
DROP INDEX records_by_block;
ALTER TABLE records DROP COLUMN block;
DROP TABLE parts;
