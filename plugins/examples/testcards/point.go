package testcards

import (
	"slices"

	"github.com/sagad/sagad/plugins/barrier"
)

// Point is a place where a card can be played: one activity. Its number is
// the card's third and fourth digit, the service first.
type Point int

// The points.
const (
	LedgerHold            Point = 11
	LedgerRelease         Point = 12
	LedgerSettle          Point = 13
	LedgerCharge          Point = 14
	LedgerRefund          Point = 15
	LedgerChargeStatus    Point = 16
	LedgerOpenAccount     Point = 17
	LedgerCloseAccount    Point = 18
	LedgerActivateAccount Point = 19

	FXQuote  Point = 21
	FXCancel Point = 22

	ComplianceScreen   Point = 31
	ComplianceIdentify Point = 32

	RailsSubmit Point = 41
	RailsStatus Point = 42

	ShopIssueVoucher   Point = 50
	ShopCreateOrder    Point = 51
	ShopCancelOrder    Point = 52
	ShopReserve        Point = 53
	ShopUnreserve      Point = 54
	ShopSchedulePickup Point = 55
	ShopCancelPickup   Point = 56
	ShopShip           Point = 57
	ShopShipment       Point = 58
	ShopNotify         Point = 59

	TravelBookFlight    Point = 61
	TravelCancelFlight  Point = 62
	TravelBookHotel     Point = 63
	TravelCancelHotel   Point = 64
	TravelBookCar       Point = 65
	TravelCancelCar     Point = 66
	TravelIssueTickets  Point = 67
	TravelTicketStatus  Point = 68
	TravelSendItinerary Point = 69

	CardsOpenDispute        Point = 71
	CardsWithdrawDispute    Point = 72
	CardsCredit             Point = 73
	CardsTakeBack           Point = 74
	CardsChargeback         Point = 75
	CardsWithdrawChargeback Point = 76
	CardsFinalise           Point = 77
	CardsRefund             Point = 78
	CardsRefundStatus       Point = 79

	PeopleDraftPayslip    Point = 81
	PeopleWithdrawPayslip Point = 82
	PeoplePublishPayslip  Point = 83
)

// kind tells which behaviours make sense at a point and how Reject and Flaky
// answer there.
type kind int

const (
	action kind = iota
	compensation
	read
	probe
)

var behavioursOf = map[kind][]Behaviour{
	action:       {Permanent, Reject, Flaky, Slow, Lost, Silent, CrashBefore, CrashAfter, Down, Straggler},
	compensation: {Permanent, Reject, Flaky, Slow, Lost, Silent, CrashBefore, CrashAfter, Down, Straggler},
	read:         {Permanent, Reject, Flaky, Slow, CrashBefore, Down},
	probe:        {Permanent, Reject, Flaky, Slow, CrashBefore, Down},
}

type place struct {
	activity string
	kind     kind
	// code is what Reject answers with: one that the service also has for a
	// reason of its own.
	code string
}

var places = map[Point]place{
	LedgerHold:            {"ledger.hold", action, "INSUFFICIENT_FUNDS"},
	LedgerRelease:         {"ledger.release", compensation, "HOLD_SETTLED"},
	LedgerSettle:          {"ledger.settle", action, "HOLD_NOT_FOUND"},
	LedgerCharge:          {"ledger.charge", action, "INSUFFICIENT_FUNDS"},
	LedgerRefund:          {"ledger.refund", compensation, "CHARGE_NOT_FOUND"},
	LedgerChargeStatus:    {"ledger.chargeStatus", probe, ""},
	LedgerOpenAccount:     {"ledger.openAccount", action, "APPLICATION_EXISTS"},
	LedgerCloseAccount:    {"ledger.closeAccount", compensation, "ACCOUNT_ACTIVE"},
	LedgerActivateAccount: {"ledger.activateAccount", action, "APPLICATION_NOT_FOUND"},

	FXQuote:  {"fx.quote", action, "CURRENCY_UNKNOWN"},
	FXCancel: {"fx.cancel", compensation, "QUOTE_NOT_FOUND"},

	ComplianceScreen:   {"compliance.screen", read, "SANCTIONS_HIT"},
	ComplianceIdentify: {"compliance.identify", read, "SANCTIONS_HIT"},

	RailsSubmit: {"rails.submit", action, "LIMIT_EXCEEDED"},
	RailsStatus: {"rails.status", probe, ""},

	ShopIssueVoucher:   {"shop.issueVoucher", action, "VOUCHER_TOO_LARGE"},
	ShopCreateOrder:    {"shop.createOrder", action, "ORDER_EXISTS"},
	ShopCancelOrder:    {"shop.cancelOrder", compensation, "ORDER_SHIPPED"},
	ShopReserve:        {"shop.reserve", action, "OUT_OF_STOCK"},
	ShopUnreserve:      {"shop.unreserve", compensation, "ORDER_SHIPPED"},
	ShopSchedulePickup: {"shop.schedulePickup", action, "NO_PICKUP"},
	ShopCancelPickup:   {"shop.cancelPickup", compensation, "ORDER_SHIPPED"},
	ShopShip:           {"shop.ship", action, "CARRIER_REFUSED"},
	ShopShipment:       {"shop.shipment", probe, ""},
	ShopNotify:         {"shop.notify", action, "ORDER_NOT_FOUND"},

	TravelBookFlight:    {"travel.bookFlight", action, "NO_SEAT"},
	TravelCancelFlight:  {"travel.cancelFlight", compensation, "TRIP_TICKETED"},
	TravelBookHotel:     {"travel.bookHotel", action, "NO_ROOM"},
	TravelCancelHotel:   {"travel.cancelHotel", compensation, "TRIP_TICKETED"},
	TravelBookCar:       {"travel.bookCar", action, "NO_CAR"},
	TravelCancelCar:     {"travel.cancelCar", compensation, "TRIP_TICKETED"},
	TravelIssueTickets:  {"travel.issueTickets", action, "PRICE_MISMATCH"},
	TravelTicketStatus:  {"travel.ticketStatus", probe, ""},
	TravelSendItinerary: {"travel.sendItinerary", action, "ITINERARY_NOT_FOUND"},

	CardsOpenDispute:        {"cards.openDispute", action, "DISPUTE_EXISTS"},
	CardsWithdrawDispute:    {"cards.withdrawDispute", compensation, "DISPUTE_CLOSED"},
	CardsCredit:             {"cards.credit", action, "CARD_CLOSED"},
	CardsTakeBack:           {"cards.takeBack", compensation, "DISPUTE_CLOSED"},
	CardsChargeback:         {"cards.chargeback", action, "CHARGEBACK_REFUSED"},
	CardsWithdrawChargeback: {"cards.withdrawChargeback", compensation, "DISPUTE_CLOSED"},
	CardsFinalise:           {"cards.finalise", action, "DISPUTE_NOT_FOUND"},
	CardsRefund:             {"cards.refund", action, "CARD_CLOSED"},
	CardsRefundStatus:       {"cards.refundStatus", probe, ""},

	PeopleDraftPayslip:    {"people.draftPayslip", action, "EMPLOYEE_LEFT"},
	PeopleWithdrawPayslip: {"people.withdrawPayslip", compensation, "PAYSLIP_PUBLISHED"},
	PeoplePublishPayslip:  {"people.publishPayslip", action, "PAYSLIP_NOT_FOUND"},
}

// String is the activity's name as definitions write it, plugin first.
func (p Point) String() string { return places[p].activity }

// Codes lists, for the manifest, the codes that Do and Play make the activity
// answer with beside its own: those of the cards and those of the barrier.
func (p Point) Codes() []string {
	codes := []string{CodeTemporary, CodePermanent}
	at := places[p]
	if at.kind == action || at.kind == compensation {
		codes = append(codes, CodeAnswerLost)
	}
	if at.kind == action {
		codes = append(codes, barrier.CodeFenced, barrier.CodeSuperseded)
	}
	if at.code != "" {
		codes = append(codes, at.code)
	}
	return codes
}

// Behaviours lists what can be made to happen at the point, by number.
func (p Point) Behaviours() []Behaviour { return behavioursOf[places[p].kind] }

// Code is what Reject answers with at the point, "" for a probe.
func (p Point) Code() string { return places[p].code }

func (p Point) plays(b Behaviour) bool {
	at, ok := places[p]
	return ok && slices.Contains(behavioursOf[at.kind], b)
}
