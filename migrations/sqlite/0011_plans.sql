-- +goose Up
-- What a run's plan says as a whole, and what has been applied of it.
ALTER TABLE runs ADD COLUMN phases TEXT NOT NULL DEFAULT '{}';
ALTER TABLE runs ADD COLUMN applied TEXT NOT NULL DEFAULT '{}';
ALTER TABLE runs ADD COLUMN left_alone INTEGER NOT NULL DEFAULT 0;
ALTER TABLE runs ADD COLUMN deactivated INTEGER NOT NULL DEFAULT 0;
ALTER TABLE runs ADD COLUMN guard TEXT;
ALTER TABLE runs ADD COLUMN held_because TEXT NOT NULL DEFAULT '';
ALTER TABLE runs ADD COLUMN chain TEXT NOT NULL DEFAULT '';
ALTER TABLE runs ADD COLUMN hash TEXT NOT NULL DEFAULT '';
ALTER TABLE runs ADD COLUMN expires_at TIMESTAMP;
ALTER TABLE runs ADD COLUMN settings_version INTEGER NOT NULL DEFAULT 0;
ALTER TABLE runs ADD COLUMN settings TEXT;
ALTER TABLE runs ADD COLUMN partial BOOLEAN NOT NULL DEFAULT 0;
ALTER TABLE runs ADD COLUMN undo_of TEXT;
CREATE INDEX runs_undo ON runs (undo_of) WHERE undo_of IS NOT NULL;
CREATE INDEX runs_expiring ON runs (expires_at) WHERE expires_at IS NOT NULL;

-- Which rows a decision was made from, and what it takes to undo it.
ALTER TABLE run_decisions ADD COLUMN rank INTEGER NOT NULL DEFAULT 0;
ALTER TABLE run_decisions ADD COLUMN state TEXT NOT NULL DEFAULT 'planned';
ALTER TABLE run_decisions ADD COLUMN note TEXT NOT NULL DEFAULT '';
ALTER TABLE run_decisions ADD COLUMN digest TEXT NOT NULL DEFAULT '';
ALTER TABLE run_decisions ADD COLUMN user_version INTEGER NOT NULL DEFAULT 0;
ALTER TABLE run_decisions ADD COLUMN account_id TEXT;
ALTER TABLE run_decisions ADD COLUMN account_version INTEGER NOT NULL DEFAULT 0;
ALTER TABLE run_decisions ADD COLUMN was TEXT;
ALTER TABLE run_decisions ADD COLUMN applied_version INTEGER NOT NULL DEFAULT 0;
UPDATE run_decisions SET rank = CASE action WHEN 'deactivate' THEN 0 WHEN 'reactivate' THEN 1 WHEN 'create' THEN 2 WHEN 'link' THEN 3
  WHEN 'update' THEN 4 WHEN 'skip' THEN 5 ELSE 6 END;
-- A page of a plan is read in the order in which people look at it.
CREATE INDEX run_decisions_ranked ON run_decisions (organization_id, run_id, rank, subject_id);
-- Runs that were held before have nothing to be compared with: they are planned again by another run.
UPDATE runs SET state = 'cancelled', error = 'the plan was made by an earlier version: start another run', finished_at = updated_at
  WHERE state = 'held';

-- +goose Down
DROP INDEX run_decisions_ranked;
DROP INDEX runs_expiring;
DROP INDEX runs_undo;
ALTER TABLE run_decisions DROP COLUMN applied_version;
ALTER TABLE run_decisions DROP COLUMN was;
ALTER TABLE run_decisions DROP COLUMN account_version;
ALTER TABLE run_decisions DROP COLUMN account_id;
ALTER TABLE run_decisions DROP COLUMN user_version;
ALTER TABLE run_decisions DROP COLUMN digest;
ALTER TABLE run_decisions DROP COLUMN note;
ALTER TABLE run_decisions DROP COLUMN state;
ALTER TABLE run_decisions DROP COLUMN rank;
ALTER TABLE runs DROP COLUMN undo_of;
ALTER TABLE runs DROP COLUMN partial;
ALTER TABLE runs DROP COLUMN settings;
ALTER TABLE runs DROP COLUMN settings_version;
ALTER TABLE runs DROP COLUMN expires_at;
ALTER TABLE runs DROP COLUMN hash;
ALTER TABLE runs DROP COLUMN chain;
ALTER TABLE runs DROP COLUMN held_because;
ALTER TABLE runs DROP COLUMN guard;
ALTER TABLE runs DROP COLUMN deactivated;
ALTER TABLE runs DROP COLUMN left_alone;
ALTER TABLE runs DROP COLUMN applied;
ALTER TABLE runs DROP COLUMN phases;
