package graph

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/microsoftgraph/msgraph-sdk-go/places"

	"usher/model/outlook"
)

// place is a room as Graph writes it. It is read without the SDK, which gives up a whole page for a capacity that is a text:
// Microsoft's own example has one.
type place struct {
	ID          string          `json:"id"`
	Email       string          `json:"emailAddress"`
	DisplayName string          `json:"displayName"`
	Building    string          `json:"building"`
	FloorLabel  string          `json:"floorLabel"`
	FloorNumber json.RawMessage `json:"floorNumber"`
	Capacity    json.RawMessage `json:"capacity"`
}

// Rooms gives a page of the tenant's rooms. A room without an address cannot be invited, and is left out.
func (c *Client) Rooms(ctx context.Context, next string) (outlook.RoomPage, error) {
	top := int32(100)
	info, err := places.NewPlacesRequestBuilderInternal(map[string]string{}, c.adapter).GraphRoom().
		ToGetRequestInformation(ctx, &places.GraphRoomRequestBuilderGetRequestConfiguration{
			QueryParameters: &places.GraphRoomRequestBuilderGetQueryParameters{Top: &top},
		})
	info = castInFull(info)
	if err := c.follow(info, next); err != nil {
		return outlook.RoomPage{}, err
	}
	body, err := c.fetchBytes(ctx, call{operation: "places.rooms", safe: true}, info, err)
	if err != nil {
		return outlook.RoomPage{}, err
	}
	var page struct {
		Value []json.RawMessage `json:"value"`
		Next  string            `json:"@odata.nextLink"`
	}
	if json.Unmarshal(body, &page) != nil {
		return outlook.RoomPage{}, unreadable("the list of rooms cannot be read")
	}
	var result outlook.RoomPage
	for _, text := range page.Value {
		var p place
		if json.Unmarshal(text, &p) == nil && p.Email != "" {
			result.Rooms = append(result.Rooms, room(p))
		}
	}
	result.Next, err = c.link(&page.Next)
	return result, err
}

func room(p place) outlook.Room {
	r := outlook.Room{PlaceID: p.ID, Email: p.Email, DisplayName: p.DisplayName, Building: p.Building, Floor: p.FloorLabel}
	if capacity, ok := whole(p.Capacity); ok && capacity > 0 {
		r.Capacity = capacity
	}
	if floor, ok := whole(p.FloorNumber); ok && r.Floor == "" {
		r.Floor = strconv.Itoa(floor)
	}
	return r
}

// whole reads a number that may be written as a text.
func whole(raw json.RawMessage) (int, bool) {
	n, err := strconv.Atoi(strings.Trim(string(raw), `" `))
	return n, err == nil
}
