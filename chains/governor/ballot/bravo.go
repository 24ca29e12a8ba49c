package ballot

// bravo is Compound's GovernorBravo: the call and the log that OpenZeppelin took over from it.
var bravo = form{encodeReason, decodeReason, logReason, topicsReason}
