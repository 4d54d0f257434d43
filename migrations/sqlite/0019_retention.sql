-- +goose Up
-- What is old is found without a look at everything.
CREATE INDEX operations_ended ON operations (finished_at) WHERE NOT open;
CREATE INDEX runs_ended ON runs (finished_at) WHERE finished_at IS NOT NULL;
CREATE INDEX runs_integration ON runs (integration_id, kind, id);

-- Endpoints that are told of nothing but an integration that is gone.
UPDATE webhook_endpoints SET state = 'disabled', reason = 'the integration was removed'
  WHERE state <> 'disabled' AND integration_id IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM integrations i WHERE i.organization_id = webhook_endpoints.organization_id AND i.id = webhook_endpoints.integration_id);

-- +goose Down
DROP INDEX runs_integration;
DROP INDEX runs_ended;
DROP INDEX operations_ended;
