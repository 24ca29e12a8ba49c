-- +goose Up
-- what could not be dealt with, again and again, and the rest goes on without; place is that of a record, 0 for what is
-- none. event and body are of an event that could not be stored.
CREATE TABLE aside (
    part TEXT NOT NULL,
    what TEXT NOT NULL,
    proposal TEXT NOT NULL,
    place BIGINT NOT NULL,
    event TEXT NOT NULL,
    body TEXT NOT NULL,
    why TEXT NOT NULL,
    since TIMESTAMP NOT NULL,
    last TIMESTAMP NOT NULL,
    tries BIGINT NOT NULL,
    PRIMARY KEY (part, what)
);

-- +goose Down
DROP TABLE aside;
