// Package keepfresh gives net/http a token that Keepfresh keeps fresh. A 401 is reported once, and the call repeated with
// another token. When nothing is fresh, the call fails with Keepfresh's error and is not made.
package keepfresh

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// Transport is for an http.Client. URL names the connection: http://127.0.0.1:7420/api/v1/connections/PROVIDER~NAME
type Transport struct{ URL, Key, rejected string }

func (t Transport) RoundTrip(request *http.Request) (answer *http.Response, err error) {
	how := map[bool][2]string{false: {"GET", "/token?min_ttl=60"}, true: {"POST", "/rejected"}}[t.rejected != ""]
	ask, err := http.NewRequestWithContext(request.Context(), how[0], t.URL+how[1], strings.NewReader(t.rejected))
	if err != nil {
		return nil, err
	}
	ask.Header = http.Header{"Authorization": {"Bearer " + t.Key}, "Content-Type": {"application/json"}}
	asked, err := http.DefaultTransport.RoundTrip(ask)
	if err != nil {
		return nil, err
	}
	defer asked.Body.Close()
	found, own := map[string]any{}, request.Clone(request.Context())
	if err = json.NewDecoder(asked.Body).Decode(&found); err != nil || asked.StatusCode != 200 {
		return nil, fmt.Errorf("keepfresh: %v: %v", found["code"], found["detail"])
	}
	own.Header.Set("Authorization", fmt.Sprint(found["token_type"], " ", found["token"]))
	answer, err = http.DefaultTransport.RoundTrip(own) // A body that cannot be read again is sent once.
	if err != nil || answer.StatusCode != 401 || t.rejected != "" || request.Body != nil && request.GetBody == nil {
		return answer, err
	}
	if answer.Body.Close(); request.GetBody != nil {
		own.Body, _ = request.GetBody()
	}
	return Transport{t.URL, t.Key, fmt.Sprintf(`{"generation":%v}`, found["generation"])}.RoundTrip(own)
}
