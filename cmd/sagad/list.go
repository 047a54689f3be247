package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	enumspb "go.temporal.io/api/enums/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/converter"

	"github.com/sagad/sagad/cmd/sagad/progress"
	"github.com/sagad/sagad/cmd/sagad/stack"
	"github.com/sagad/sagad/dsl"
	"github.com/sagad/sagad/engine"
	"github.com/sagad/sagad/engine/temporal"
)

// Limits of a list.
const (
	defaultLimit = 50
	maxLimit     = 10000
)

func listCommand(c *console) *cobra.Command {
	l := lister{console: c}
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List sagas, the latest first",
		Long: `List sagas, the latest first. The child sagas that they run are listed with
--children, and those that are parked always. The state is the saga's own: while a
child of a running saga is parked, it is "running (child parked)".`,
		Example: `  sagad list
  sagad list --state parked
  sagad list --saga cross-border-payment --search country_code=DE -o json`,
		Args: needs(),
		RunE: func(cmd *cobra.Command, _ []string) error { return l.run(cmd.Context()) },
	}
	l.flags, l.format = sharedFlags(cmd), formatFlag(cmd)
	cmd.Flags().StringVar(&l.state, "state", "", "only those in this `STATE`: "+strings.Join(states, ", "))
	cmd.Flags().StringVar(&l.saga, "saga", "", "only those of this definition `NAME`")
	cmd.Flags().StringArrayVar(&l.search, "search", nil, "only those with this search attribute, `NAME=VALUE`; may be repeated")
	cmd.Flags().IntVar(&l.limit, "limit", defaultLimit, "at most this `NUMBER`")
	cmd.Flags().BoolVar(&l.children, "children", false, "with child sagas")
	cmd.Flags().BoolVar(&l.all, "all-tenants", false, "of all tenants")
	return cmd
}

var states = []string{
	engine.OutcomeRunning, engine.OutcomeCompensating, engine.OutcomeParked,
	engine.OutcomeCompleted, engine.OutcomeCompensated, engine.OutcomeResolved, engine.OutcomeOrphaned,
}

// lister is one `sagad list`.
type lister struct {
	console     *console
	flags       *flags
	format      *format
	state, saga string
	search      []string
	limit       int
	children    bool
	all         bool
}

// row is one saga of a list.
type row struct {
	ID      string `json:"id"`
	Saga    string `json:"saga"`
	Tenant  string `json:"tenant"`
	Status  string `json:"status"`
	Outcome string `json:"outcome"`
	// ChildParked says that something of a child's is parked, and nothing of the
	// saga's own.
	ChildParked bool           `json:"childParked,omitempty"`
	StartedAt   time.Time      `json:"startedAt"` // of its first run
	Elapsed     engine.Elapsed `json:"elapsed"`
}

func (l *lister) run(ctx context.Context) error {
	s, err := l.flags.resolve(l.console, "")
	if err != nil {
		return err
	}
	query, err := l.query(s)
	if err != nil {
		return err
	}
	st, err := s.open(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = st.Close() }() // it only read
	rows := []row{}
	if !st.Empty() {
		if err := st.Connect(ctx); err != nil {
			return err
		}
		if rows, err = l.rows(ctx, st, query); err != nil {
			return err
		}
		if err := l.childrenParked(ctx, st, s, rows); err != nil {
			return err
		}
	}
	if l.format.json() {
		return printJSON(l.console.out, rows)
	}
	if len(rows) == 0 {
		l.console.say("no sagas")
		return nil
	}
	return writeRows(l.console.out, rows)
}

func writeRows(w io.Writer, rows []row) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(t, "ID\tSTATE\tSTARTED\tELAPSED") // errors come with Flush
	for _, r := range rows {
		elapsed := time.Duration(r.Elapsed).Round(time.Millisecond)
		if elapsed > time.Minute {
			elapsed = elapsed.Round(time.Second)
		}
		state := r.Outcome
		if r.ChildParked {
			state += progress.ChildParked
		}
		_, _ = fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", r.ID, state, r.StartedAt.Local().Format(time.DateTime), elapsed)
	}
	return t.Flush()
}

// query writes the filters as Temporal's visibility takes them.
func (l *lister) query(s *settings) (string, error) {
	if l.limit < 1 || l.limit > maxLimit {
		return "", fmt.Errorf("--limit %d: it may be from 1 to %d", l.limit, maxLimit)
	}
	parts := append(l.ours(s), "ExecutionStatus != 'ContinuedAsNew'")
	if !l.children && l.state != engine.OutcomeParked {
		parts = append(parts, "ParentWorkflowId IS NULL")
	}
	if l.saga != "" {
		parts = append(parts, temporal.Equals(temporal.AttributeSaga, l.saga))
	}
	if l.state != "" {
		if !slices.Contains(states, l.state) {
			return "", fmt.Errorf("--state %q: it is one of %s", l.state, strings.Join(states, ", "))
		}
		parts = append(parts, stateQuery(l.state))
	}
	types := dsl.SearchAttributes(s.Search)
	for _, filter := range l.search {
		name, value, ok := strings.Cut(filter, "=")
		if !ok {
			return "", fmt.Errorf("--search %q: write NAME=VALUE", filter)
		}
		part, err := searchQuery(types, name, value)
		if err != nil {
			return "", err
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, " AND "), nil
}

// ours finds all sagas that the list is about.
func (l *lister) ours(s *settings) []string {
	parts := []string{temporal.AttributeSaga + " IS NOT NULL"}
	if !l.all {
		parts = append(parts, temporal.Equals(temporal.AttributeTenant, s.Tenant))
	}
	return parts
}

// undeclared refuses a filter by a search attribute that is not there.
func undeclared(name string, names []string) error {
	mend := "there are " + strings.Join(names, ", ")
	if near := dsl.Suggest(name, names); near != "" {
		mend = fmt.Sprintf("did you mean %q? There are %s", near, strings.Join(names, ", "))
	}
	return fmt.Errorf("--search %s: no search attribute has this name; %s. More are declared under `search` in %s", name, mend, defaultConfig)
}

func searchQuery(types map[string]dsl.SearchType, name, value string) (string, error) {
	var err error
	switch types[name] {
	case dsl.SearchKeyword:
		return temporal.Equals(name, value), nil
	case dsl.SearchInt:
		_, err = strconv.Atoi(value)
	case dsl.SearchBool:
		_, err = strconv.ParseBool(value)
	case dsl.SearchInstant:
		if _, err = time.Parse(time.RFC3339, value); err == nil {
			return temporal.Equals(name, value), nil
		}
	default:
		return "", undeclared(name, slices.Sorted(maps.Keys(types)))
	}
	if err != nil {
		return "", fmt.Errorf("--search %s: %q is no %s", name, value, types[name])
	}
	return name + " = " + value, nil
}

// stateQuery finds the sagas in a state, and perhaps some more: what a closed
// saga ended as stands in its result.
func stateQuery(state string) string {
	switch state {
	case engine.OutcomeCompleted:
		return "ExecutionStatus = 'Completed'"
	case engine.OutcomeCompensated:
		return "(ExecutionStatus = 'Failed' OR ExecutionStatus = 'Canceled')"
	case engine.OutcomeResolved:
		return "(ExecutionStatus = 'Failed' OR ExecutionStatus = 'Completed')"
	case engine.OutcomeOrphaned:
		return "(ExecutionStatus = 'Terminated' OR ExecutionStatus = 'TimedOut')"
	}
	return "ExecutionStatus = 'Running' AND " + temporal.Equals(temporal.AttributeState, state)
}

// Limits of what is asked for at once.
const (
	pageSize = 200 // sagas, of visibility
	asked    = 16  // sagas whose start or end is read at the same time
)

func (l *lister) rows(ctx context.Context, st *stack.Stack, query string) ([]row, error) {
	rows := []row{}
	seen := map[string]bool{} // one that was reset has several runs; the latest stands first
	err := pages(ctx, st, query, func(infos []*workflowpb.WorkflowExecutionInfo) (more bool, err error) {
		infos = slices.DeleteFunc(infos, func(info *workflowpb.WorkflowExecutionInfo) bool {
			id := info.GetExecution().GetWorkflowId()
			defer func() { seen[id] = true }()
			return seen[id]
		})
		for some := range slices.Chunk(infos, asked) {
			read, err := readRows(ctx, st, some)
			if err != nil {
				return false, err
			}
			for _, r := range read {
				if l.state == "" || r.Outcome == l.state {
					rows = append(rows, r)
				}
			}
			if len(rows) >= l.limit {
				rows = rows[:l.limit]
				return false, nil
			}
		}
		return true, nil
	})
	slices.SortStableFunc(rows, func(a, b row) int { return b.StartedAt.Compare(a.StartedAt) })
	return rows, err
}

// pages hands what visibility finds to take, page by page, until it wants no more.
func pages(ctx context.Context, st *stack.Stack, query string, take func([]*workflowpb.WorkflowExecutionInfo) (more bool, err error)) error {
	var next []byte
	for {
		page, err := st.SDK().ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{
			Query: query, PageSize: pageSize, NextPageToken: next,
		})
		if err != nil {
			return fmt.Errorf("list sagas: %w", err)
		}
		if more, err := take(page.GetExecutions()); !more || err != nil {
			return err
		}
		if next = page.GetNextPageToken(); len(next) == 0 {
			return nil
		}
	}
}

// readRows reads rows at the same time.
func readRows(ctx context.Context, st *stack.Stack, infos []*workflowpb.WorkflowExecutionInfo) ([]row, error) {
	rows, errs := make([]row, len(infos)), make([]error, len(infos))
	var all sync.WaitGroup
	for i, info := range infos {
		all.Go(func() { rows[i], errs[i] = readRow(ctx, st, info) })
	}
	all.Wait()
	return rows, errors.Join(errs...)
}

// readRow reads what visibility does not know: of a saga that has closed its
// result, of an open one and an orphan when it started, which their run does not
// say if there was one before it.
func readRow(ctx context.Context, st *stack.Stack, info *workflowpb.WorkflowExecutionInfo) (row, error) {
	r := row{
		ID: info.GetExecution().GetWorkflowId(), Saga: info.GetType().GetName(), Status: engine.StatusClosed,
		StartedAt: info.GetStartTime().AsTime(),
	}
	r.Tenant, _, _ = strings.Cut(r.ID, "/")
	end := time.Now()
	if info.GetCloseTime() != nil {
		end = info.GetCloseTime().AsTime()
	}
	switch info.GetStatus() {
	case enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING:
		r.Status = engine.StatusOpen
		field := info.GetSearchAttributes().GetIndexedFields()[temporal.AttributeState]
		if err := converter.GetDefaultDataConverter().FromPayload(field, &r.Outcome); err != nil {
			return r, fmt.Errorf("state of %s: %w", r.ID, err)
		}
	case enumspb.WORKFLOW_EXECUTION_STATUS_TERMINATED, enumspb.WORKFLOW_EXECUTION_STATUS_TIMED_OUT:
		r.Outcome = engine.OutcomeOrphaned
	default:
		result, err := st.Client().Wait(ctx, r.ID)
		if err == nil {
			r.Outcome, r.StartedAt, r.Elapsed = result.Outcome, result.StartedAt, result.Elapsed
			return r, nil
		}
		if !errors.Is(err, temporal.ErrNotFound) {
			return r, err
		}
		r.Elapsed = engine.Elapsed(end.Sub(r.StartedAt)) // its history was deleted since
		return r, nil
	}
	started, err := st.Client().StartedAt(ctx, st.Namespace(), info.GetExecution())
	switch {
	case err == nil:
		r.StartedAt = started
	case !errors.Is(err, temporal.ErrNotFound):
		return r, err
	}
	r.Elapsed = engine.Elapsed(end.Sub(r.StartedAt))
	return r, nil
}

// childrenParked marks the open sagas of a list in whose children something is
// parked. Temporal is asked once for all of them.
func (l *lister) childrenParked(ctx context.Context, st *stack.Stack, s *settings, rows []row) error {
	above := func(r row) bool { return r.Status == engine.StatusOpen && r.Outcome != engine.OutcomeParked }
	if !slices.ContainsFunc(rows, above) {
		return nil
	}
	query := strings.Join(append(l.ours(s), stateQuery(engine.OutcomeParked), "ParentWorkflowId IS NOT NULL"), " AND ")
	return pages(ctx, st, query, func(infos []*workflowpb.WorkflowExecutionInfo) (more bool, err error) {
		for i, r := range rows {
			rows[i].ChildParked = r.ChildParked || above(r) && slices.ContainsFunc(infos, func(info *workflowpb.WorkflowExecutionInfo) bool {
				return strings.HasPrefix(info.GetExecution().GetWorkflowId(), r.ID+"/") ||
					info.GetParentExecution().GetWorkflowId() == r.ID || info.GetRootExecution().GetWorkflowId() == r.ID
			})
		}
		return true, nil
	})
}
