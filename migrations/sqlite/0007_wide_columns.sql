-- +goose Up
-- What PostgreSQL is told here about its statistics has no counterpart.
SELECT 1;

-- +goose Down
SELECT 1;
