package main

// endings are what the shipped inputs end as, by input file: the outcome and
// the cause.
var endings = map[string]string{
	"confirmed":     "completed",
	"crash-after":   "completed",
	"crash-before":  "completed",
	"hold-in-doubt": "compensated by hold PERMANENT_FAILURE",
	"hold-lost":     "completed",
	"late-request":  "completed",
	"lost-answer":   "completed",
	"no-answer":     "completed",
	"poor":          "compensated by hold INSUFFICIENT_FUNDS",
	"rejected":      "compensated by submit LIMIT_EXCEEDED",
	"release-flaky": "compensated by submit LIMIT_EXCEEDED",
	"release-parks": "compensated by submit LIMIT_EXCEEDED",
	"sanctioned":    "compensated by blocked SANCTIONS_BLOCKED",
	"settle-flaky":  "completed",
	"settles":       "completed",
	"unconfirmed":   "compensated by confirm TIMEOUT",

	"carrier-refuses": "compensated by ship CARRIER_REFUSED",
	"charge-lost":     "completed",
	"no-carrier":      "compensated by pickup NO_PICKUP",
	"no-money":        "compensated by pay INSUFFICIENT_FUNDS",
	"notify-flaky":    "completed",
	"out-of-stock":    "compensated by reserve OUT_OF_STOCK",
	"refund-flaky":    "compensated by ship CARRIER_REFUSED",
	"ship-crash":      "completed",
	"ships":           "completed",

	"batch-hold-lost":  "completed",
	"batch-poor":       "compensated by pay[p-2] INSUFFICIENT_FUNDS",
	"batch-rejected":   "compensated by submit LIMIT_EXCEEDED",
	"batch-sanctioned": "compensated by pay[p-2] SANCTIONS_BLOCKED",
	"batch-settles":    "completed",
	"batch-wrong-sum":  "compensated by control WRONG_CONTROL_SUM",

	"payroll-draft-lost":    "completed",
	"payroll-left":          "compensated by draft[e-102] EMPLOYEE_LEFT",
	"payroll-limit":         "compensated by submit LIMIT_EXCEEDED",
	"payroll-no-department": "compensated by staff DEPARTMENT_UNKNOWN",
	"payroll-nobody":        "completed",
	"payroll-notice-flaky":  "completed",
	"payroll-paid":          "completed",
	"payroll-poor":          "compensated by fund INSUFFICIENT_FUNDS",
	"payroll-stranger":      "compensated by strangers NOT_ON_THE_STAFF",
	"payroll-variable":      "completed",

	"trip-booked":      "completed",
	"trip-hotel-lost":  "completed",
	"trip-mail-flaky":  "completed",
	"trip-no-car":      "completed",
	"trip-no-money":    "compensated by pay INSUFFICIENT_FUNDS",
	"trip-no-room":     "compensated by nowhere NO_ROOM",
	"trip-no-seat":     "compensated by flight NO_SEAT",
	"trip-no-tickets":  "compensated by ticket PRICE_MISMATCH",
	"trip-other-hotel": "completed",
	"trip-ticket-lost": "completed",
}

// chancy are the inputs of which it is chance what has run when a step fails,
// because others run beside it and are cut. Their traces are not compared.
var chancy = []string{"trip-no-room", "trip-no-seat"}
