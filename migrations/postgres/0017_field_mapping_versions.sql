-- +goose Up
-- What each save of an integration's field mappings left, the last hundred of them.
CREATE TABLE field_mapping_versions (
  organization_id uuid NOT NULL,
  integration_id uuid NOT NULL,
  number integer NOT NULL,
  actor text NOT NULL,
  summary text NOT NULL,
  entries integer NOT NULL,
  mappings jsonb NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (organization_id, integration_id, number),
  FOREIGN KEY (organization_id, integration_id) REFERENCES integrations (organization_id, id) ON DELETE CASCADE
);

-- What was there before the first version can be restored as well.
INSERT INTO field_mapping_versions (organization_id, integration_id, number, actor, summary, entries, mappings, created_at)
SELECT organization_id, integration_id, 1, 'system', 'as they were when versions began', jsonb_array_length(items), items, updated_at
FROM integration_lists WHERE kind = 'field_mappings';

-- +goose Down
DROP TABLE field_mapping_versions;
