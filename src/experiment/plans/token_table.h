// The tokens that answers begin with, for people.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "labelprobe/prompt/template.h"
#include "labelprobe/readout/label_tokens.h"
#include "labelprobe/tokenizer/tokenizer.h"

namespace labelprobe::experiment {

// One line per name with its first tokens in both space variants, under a heading that begins with
// `title` and goes on with how answers stand.
std::string describe_tokens(std::string_view title,
                            const readout::LabelTokens& tokens,
                            const tokenizer::Tokenizer& tokenizer);

// Where prompts have names, in the words of readout.
std::vector<readout::LabelContext> contexts_of(const std::vector<prompt::LabelPlace>& places);

}  // namespace labelprobe::experiment
