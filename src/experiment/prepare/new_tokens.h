// How many tokens an answer takes, for runs that are not told.
#pragma once

#include "labelprobe/experiment/answers.h"
#include "labelprobe/experiment/preparation.h"
#include "labelprobe/tokenizer/tokenizer.h"

namespace labelprobe::experiment {

// What the longest answer takes that names labels, each one or all of them where there may be
// several, or one of the answer words; a few tokens are added for what stands before it and for
// what ends it. Throws ConfigError where answers have another form: chains of thought, numbers.
int tokens_of_answers(const Questions& questions,
                      const Answers& answers,
                      const tokenizer::Tokenizer& tokenizer);

}  // namespace labelprobe::experiment
