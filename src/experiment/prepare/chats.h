// Chat prompts on their way to token ids.
#pragma once

#include <string>
#include <vector>

#include "labelprobe/experiment/settings.h"
#include "labelprobe/prompt/chat.h"
#include "labelprobe/tokenizer/tokenizer.h"

namespace labelprobe::experiment {

// Throws ConfigError if a chat cannot be made of what is given; nothing is loaded for that.
void check_chat_settings(const Settings& settings);

// The format of the template. Throws ModelError if there is none, it cannot be run, or the
// tokenizer has none of the special tokens that it spells; where some are missing, a warning is
// added, for there are models whose marks are ordinary text.
prompt::ChatFormat chat_format(const Settings& settings,
                               const tokenizer::Tokenizer& tokenizer,
                               std::vector<std::string>& warnings);

// The special token that the template writes behind an answer; none if it writes none.
TokenIds end_of_turn(const prompt::ChatFormat& format, const tokenizer::Tokenizer& tokenizer);

// The token ids of a chat. Special tokens are the template's own: where a message spells one, the
// spelling is cut behind its first character and its parts are encoded as ordinary text, so that no
// example can end its own turn. Sets `has_spelled` then. Messages without such spellings are
// encoded as the reference does.
TokenIds encode_chat(const prompt::ChatText& chat,
                     const tokenizer::Tokenizer& tokenizer,
                     bool& has_spelled);

}  // namespace labelprobe::experiment
