package model

// mistake is a rule that the model breaks when it is told to. Comparing has to
// find each of them: that is how it is known to look closely.
type mistake string

const (
	forgetsUnknown     mistake = "S1 a step that ended unknown is not compensated"
	compensatesRefused mistake = "S2 a step that was rejected is compensated"
	trustsLastAttempt  mistake = "S2 a rejection after an ambiguous attempt is a rejection"
	asksOnTheWayBack   mistake = "S3 a step in doubt is probed although its block is being left"
	evaluatesLate      mistake = "S5 the input of a compensation is evaluated when it is sent"
	compensatesForward mistake = "S6 what completed first is compensated first"
	forgetsTheOrder    mistake = "S6 branches do not wait for each other's compensations"
	retriesWhenLeft    mistake = "S7 a further attempt starts although a sibling has failed"
	sharesVariables    mistake = "S8 what an item sets is seen by the others"
	losesTheChild      mistake = "S9 what a child has done is not compensated by its parent"
	splitsTheChild     mistake = "S9 what a child has done in branches is not one entry of its parent"
	forgetsTheDecision mistake = "S9 a child that has decided has not for its parent"
	leavesTheChild     mistake = "S9 a child goes on although its parent is being left"
	takesLastClause    mistake = "S10 the last clause that matches wins"
	commitsLate        mistake = "S11 a retriable step passes no point of no return"
	cancelsThePivot    mistake = "S13 a cancel does not wait for a pivot that runs"
	waitsForSiblings   mistake = "S13 a cancel cuts nothing while a failure waits for its siblings"
	insists            mistake = "S16 a compensation that is rejected is repeated"
	holdsUpTheRest     mistake = "S17 what waits for a parked entry holds up what does not"
	waitsForTheParked  mistake = "S17 everything waits for what is parked"
	forgetsTheSkip     mistake = "S19 a skip leaves the outcome as it was"
	keepsTheKey        mistake = "S20 a corrected input is sent under the old key"
	losesTheReport     mistake = "S25 a probe whose report cannot be used has said nothing"
	takesTheNewest     mistake = "S27 an await takes the newest message"
)

var mistakes = []mistake{
	forgetsUnknown, compensatesRefused, trustsLastAttempt, asksOnTheWayBack, evaluatesLate, compensatesForward,
	forgetsTheOrder, retriesWhenLeft, sharesVariables, losesTheChild, splitsTheChild, forgetsTheDecision,
	leavesTheChild, takesLastClause, commitsLate, cancelsThePivot, waitsForSiblings, insists, holdsUpTheRest, waitsForTheParked,
	forgetsTheSkip, keepsTheKey, losesTheReport, takesTheNewest,
}
