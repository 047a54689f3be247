//go:build !noembed

package embedded

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	uiserver "github.com/temporalio/ui-server/v2/server"
	uiconfig "github.com/temporalio/ui-server/v2/server/config"
	"github.com/temporalio/ui-server/v2/server/server_options"
)

// uiStartTimeout is how long the web UI may take to answer for the first time;
// it takes some milliseconds.
const uiStartTimeout = 10 * time.Second

// webUI is Temporal's own web UI, served from assets in the binary.
type webUI struct {
	server *uiserver.Server
	done   sync.WaitGroup
	url    string
}

// startUI serves the web UI on a port that was checked to be free.
//
// It is read-only: a saga that is terminated or reset there would leave effects
// that nobody compensates, and its signals lack the message IDs that sagad's
// carry. The commands of sagad do it right. Being read-only also takes away what
// another web page in the same browser could want from it.
func startUI(ctx context.Context, cfg Config, port int, frontend string) (*webUI, error) {
	ui := &webUI{
		url: "http://" + cfg.address(port),
		server: uiserver.NewServer(server_options.WithConfigProvider(&uiconfig.Config{
			TemporalGRPCAddress: frontend,
			Host:                cfg.Host,
			Port:                port,
			EnableUI:            true,
			DefaultNamespace:    cfg.Namespace,
			DisableNewsFetch:    true, // no request to any other machine
			NotifyOnNewVersion:  false,
			DisableWriteActions: true,
			HideLogs:            true,
			CORS:                uiconfig.CORS{CookieInsecure: true}, // plain HTTP on loopback
		})),
	}
	ui.done.Go(func() { _ = ui.server.Start() }) // ends the process or returns nil
	if err := ui.await(ctx); err != nil {
		ui.stop()
		return nil, err
	}
	return ui, nil
}

// await returns when the UI answers its health check.
func (ui *webUI) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, uiStartTimeout)
	defer cancel()
	return poll(ctx, func() error {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, ui.url+"/healthz", nil)
		if err != nil {
			return err
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return fmt.Errorf("web UI: %w", err)
		}
		defer func() { _ = response.Body.Close() }()
		if response.StatusCode != http.StatusOK {
			return errors.New("web UI: " + response.Status)
		}
		return nil
	})
}

// stop ends the UI and its connections and waits for its goroutine.
func (ui *webUI) stop() {
	ui.server.Stop()
	ui.done.Wait()
}
