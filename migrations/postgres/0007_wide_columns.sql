-- +goose Up
-- No condition reads these columns as a whole, so their statistics help no plan; but they are most of each row, and to gather
-- their statistics was most of what ANALYZE cost while many people arrive.
ALTER TABLE directory_users ALTER document SET STATISTICS 0, ALTER explanation SET STATISTICS 0;
ALTER TABLE directory_groups ALTER document SET STATISTICS 0;
ALTER TABLE accounts ALTER custom_fields SET STATISTICS 0;
ALTER TABLE changes ALTER data SET STATISTICS 0;
ALTER TABLE activities ALTER summary SET STATISTICS 0, ALTER data SET STATISTICS 0;
ALTER TABLE scim_requests ALTER path SET STATISTICS 0, ALTER summary SET STATISTICS 0, ALTER detail SET STATISTICS 0,
  ALTER deviations SET STATISTICS 0, ALTER exchange SET STATISTICS 0;

-- +goose Down
ALTER TABLE directory_users ALTER document SET STATISTICS -1, ALTER explanation SET STATISTICS -1;
ALTER TABLE directory_groups ALTER document SET STATISTICS -1;
ALTER TABLE accounts ALTER custom_fields SET STATISTICS -1;
ALTER TABLE changes ALTER data SET STATISTICS -1;
ALTER TABLE activities ALTER summary SET STATISTICS -1, ALTER data SET STATISTICS -1;
ALTER TABLE scim_requests ALTER path SET STATISTICS -1, ALTER summary SET STATISTICS -1, ALTER detail SET STATISTICS -1,
  ALTER deviations SET STATISTICS -1, ALTER exchange SET STATISTICS -1;
