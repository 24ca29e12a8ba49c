package screen

// For the tests of what a model is asked and answers.
var (
	QuestionOn = questionOn
	ReadAnswer = readAnswer
)
