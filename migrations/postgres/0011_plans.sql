-- +goose Up
-- What a run's plan says as a whole, and what has been applied of it.
ALTER TABLE runs
  ADD COLUMN phases jsonb NOT NULL DEFAULT '{}',
  ADD COLUMN applied jsonb NOT NULL DEFAULT '{}',
  ADD COLUMN left_alone integer NOT NULL DEFAULT 0,
  ADD COLUMN deactivated integer NOT NULL DEFAULT 0,
  ADD COLUMN guard jsonb,
  ADD COLUMN held_because text NOT NULL DEFAULT '',
  ADD COLUMN chain text NOT NULL DEFAULT '',
  ADD COLUMN hash text NOT NULL DEFAULT '',
  ADD COLUMN expires_at timestamptz,
  ADD COLUMN settings_version bigint NOT NULL DEFAULT 0,
  ADD COLUMN settings jsonb,
  ADD COLUMN partial boolean NOT NULL DEFAULT false,
  ADD COLUMN undo_of uuid;
CREATE INDEX runs_undo ON runs (undo_of) WHERE undo_of IS NOT NULL;
CREATE INDEX runs_expiring ON runs (expires_at) WHERE expires_at IS NOT NULL;

-- Which rows a decision was made from, and what it takes to undo it.
ALTER TABLE run_decisions
  ADD COLUMN rank smallint NOT NULL DEFAULT 0,
  ADD COLUMN state text NOT NULL DEFAULT 'planned' CHECK (state IN ('planned', 'applied', 'left')),
  ADD COLUMN note text NOT NULL DEFAULT '',
  ADD COLUMN digest text NOT NULL DEFAULT '',
  ADD COLUMN user_version bigint NOT NULL DEFAULT 0,
  ADD COLUMN account_id uuid,
  ADD COLUMN account_version bigint NOT NULL DEFAULT 0,
  ADD COLUMN was jsonb,
  ADD COLUMN applied_version bigint NOT NULL DEFAULT 0;
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
ALTER TABLE run_decisions
  DROP COLUMN applied_version, DROP COLUMN was, DROP COLUMN account_version, DROP COLUMN account_id, DROP COLUMN user_version,
  DROP COLUMN digest, DROP COLUMN note, DROP COLUMN state, DROP COLUMN rank;
ALTER TABLE runs
  DROP COLUMN undo_of, DROP COLUMN partial, DROP COLUMN settings, DROP COLUMN settings_version, DROP COLUMN expires_at, DROP COLUMN hash,
  DROP COLUMN chain, DROP COLUMN held_because, DROP COLUMN guard, DROP COLUMN deactivated, DROP COLUMN left_alone, DROP COLUMN applied,
  DROP COLUMN phases;
