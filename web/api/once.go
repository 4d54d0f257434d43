package api

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"

	"usher/model"
)

// OnceInput lets a request be sent again without being done again.
type OnceInput struct {
	IdempotencyKey string `header:"Idempotency-Key" maxLength:"255" pattern:"^[!-~]*$" doc:"Any text of the caller's choice. The same request with it is answered as it was the first time, for a day; another one with it is refused."`
}

// once does something that is asked for with an Idempotency-Key, unless that was done already; then it gives the answer of
// then. What fails for the caller's fault, or for a rule, has changed nothing and may be asked again.
func once[T any](ctx context.Context, a *API, in OnceInput, what string, body []byte, do func() (T, error)) (*answer[T], error) {
	if in.IdempotencyKey == "" {
		return answered(do())
	}
	sum := sha256.Sum256(append([]byte(what+"\n"), body...))
	was, done, err := a.store.BeginOnce(ctx, org(ctx), in.IdempotencyKey, hex.EncodeToString(sum[:]))
	if err != nil {
		return nil, err
	}
	if done {
		var out T
		err := json.Unmarshal(was, &out)
		return answered(out, err)
	}
	out, err := do()
	late := context.WithoutCancel(ctx) // whoever asked may be gone
	if err != nil {
		_, throttled := errors.AsType[*model.Throttled](err)
		if throttled || model.KindOf(err) != model.Internal {
			return nil, errors.Join(err, a.store.ForgetOnce(late, org(ctx), in.IdempotencyKey))
		}
		return nil, err
	}
	raw, err := json.Marshal(out)
	if err == nil {
		err = a.store.EndOnce(late, org(ctx), in.IdempotencyKey, raw)
	}
	return answered(out, err)
}
