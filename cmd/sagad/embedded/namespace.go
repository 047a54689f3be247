//go:build !noembed

package embedded

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/google/uuid"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	persistencespb "go.temporal.io/server/api/persistence/v1"
	"go.temporal.io/server/common"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/metrics"
	"go.temporal.io/server/common/persistence"
	"go.temporal.io/server/common/persistence/serialization"
	sqlstore "go.temporal.io/server/common/persistence/sql"
	"go.temporal.io/server/common/resolver"
	"go.temporal.io/server/common/searchattribute/sadefs"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
)

// clusterName is the name of the one cluster there is.
const clusterName = "active"

// prepareNamespace creates the namespace or brings retention and search
// attributes of the existing one up to date. It writes to the database before
// the server reads it, so nobody has to wait for a cache to notice.
func prepareNamespace(ctx context.Context, cfg Config, store *config.SQL, logger *serverLogger) error {
	serializer := serialization.NewSerializer()
	factory := sqlstore.NewFactory(*store, resolver.NewNoopResolver(), clusterName, logger, metrics.NoopMetricsHandler, serializer)
	defer factory.Close()
	metadata, err := factory.NewMetadataStore()
	if err != nil {
		return err
	}
	manager := persistence.NewMetadataManagerImpl(metadata, serializer, logger, clusterName)

	found, err := manager.GetNamespace(ctx, &persistence.GetNamespaceRequest{Name: cfg.Namespace})
	var missing *serviceerror.NamespaceNotFound
	if errors.As(err, &missing) {
		detail, err := newNamespace(cfg)
		if err != nil {
			return err
		}
		_, err = manager.CreateNamespace(ctx, &persistence.CreateNamespaceRequest{Namespace: detail})
		return err
	}
	if err != nil {
		return err
	}
	return updateNamespace(ctx, cfg, manager, found)
}

// newNamespace describes a namespace that does not exist yet.
func newNamespace(cfg Config) (*persistencespb.NamespaceDetail, error) {
	fields, err := assignFields(nil, cfg.SearchAttributes)
	if err != nil {
		return nil, err
	}
	return &persistencespb.NamespaceDetail{
		Info: &persistencespb.NamespaceInfo{
			Id:    uuid.NewString(),
			Name:  cfg.Namespace,
			State: enumspb.NAMESPACE_STATE_REGISTERED,
		},
		Config: &persistencespb.NamespaceConfig{
			Retention:                    durationpb.New(cfg.Retention),
			HistoryArchivalState:         enumspb.ARCHIVAL_STATE_DISABLED,
			VisibilityArchivalState:      enumspb.ARCHIVAL_STATE_DISABLED,
			CustomSearchAttributeAliases: fields,
		},
		ReplicationConfig: &persistencespb.NamespaceReplicationConfig{
			ActiveClusterName: clusterName,
			Clusters:          []string{clusterName},
		},
		FailoverVersion:             common.EmptyVersion,
		FailoverNotificationVersion: -1,
	}, nil
}

// updateNamespace writes the configured retention and missing search attributes.
func updateNamespace(ctx context.Context, cfg Config, manager persistence.MetadataManager, found *persistence.GetNamespaceResponse) error {
	detail := proto.CloneOf(found.Namespace)
	fields, err := assignFields(detail.Config.CustomSearchAttributeAliases, cfg.SearchAttributes)
	if err != nil {
		return err
	}
	detail.Config.CustomSearchAttributeAliases = fields
	detail.Config.Retention = durationpb.New(cfg.Retention)
	if proto.Equal(detail, found.Namespace) {
		return nil
	}
	detail.ConfigVersion++
	metadata, err := manager.GetMetadata(ctx)
	if err != nil {
		return err
	}
	return manager.UpdateNamespace(ctx, &persistence.UpdateNamespaceRequest{
		Namespace:           detail,
		IsGlobalNamespace:   found.IsGlobalNamespace,
		NotificationVersion: metadata.NotificationVersion,
	})
}

// assignFields gives every search attribute a column of its type and keeps those
// that have one. SQL visibility has a fixed set of columns, Keyword01 and so on;
// a namespace maps each to the name that people use. The order is that of the
// names, so that equal configurations make equal databases.
func assignFields(current map[string]string, wanted map[string]enumspb.IndexedValueType) (map[string]string, error) {
	types := sadefs.GetDBIndexSearchAttributes(nil).CustomSearchAttributes
	columns := slices.Sorted(maps.Keys(types))
	fields := maps.Clone(current)
	if fields == nil {
		fields = map[string]string{}
	}
	assigned := make(map[string]enumspb.IndexedValueType, len(fields))
	for column, name := range fields {
		assigned[name] = types[column]
	}
	for _, name := range slices.Sorted(maps.Keys(wanted)) {
		kind := wanted[name]
		if err := checkAttribute(name, kind, assigned); err != nil {
			return nil, err
		}
		if _, done := assigned[name]; done {
			continue
		}
		free := slices.IndexFunc(columns, func(column string) bool {
			return types[column] == kind && fields[column] == ""
		})
		if free < 0 {
			return nil, fullError(name, kind, types, fields)
		}
		fields[columns[free]] = name
	}
	return fields, nil
}

// checkAttribute reports a name that the server reserves and a type that differs
// from the one the data directory already has.
func checkAttribute(name string, kind enumspb.IndexedValueType, assigned map[string]enumspb.IndexedValueType) error {
	if name == "" || sadefs.IsReserved(name) {
		return attributeError(name, fmt.Sprintf("the search attribute name %q is reserved by Temporal", name), "choose another name")
	}
	if before, ok := assigned[name]; ok && before != kind {
		return attributeError(name,
			fmt.Sprintf("the search attribute %s has type %s in this data directory and %s in the configuration", name, before, kind),
			"give the new one another name, or use another directory with "+DirFlag)
	}
	return nil
}

func fullError(name string, kind enumspb.IndexedValueType, types map[string]enumspb.IndexedValueType, fields map[string]string) error {
	var taken []string
	for column, alias := range fields {
		if types[column] == kind {
			taken = append(taken, alias)
		}
	}
	slices.Sort(taken)
	if len(taken) == 0 {
		return attributeError(name, fmt.Sprintf("the search attribute %s has type %s, which SQL visibility does not know", name, kind), "choose another type")
	}
	return attributeError(name,
		fmt.Sprintf("no room for the search attribute %s: a namespace has %d of type %s (%s)", name, len(taken), kind, strings.Join(taken, ", ")),
		"declare fewer, or use another directory with "+DirFlag)
}

func attributeError(name, problem, mend string) error {
	return &SetupError{Kind: ErrSearchAttribute, Subject: name, Problem: problem, Mend: mend}
}
