// Chat prompts on their way to token ids.
#pragma once

#include "labelprobe/experiment/settings.h"
#include "labelprobe/prompt/chat.h"
#include "labelprobe/tokenizer/tokenizer.h"

namespace labelprobe::experiment {

// Throws ConfigError if a chat cannot be made of what is given; nothing is loaded for that.
void check_chat_settings(const Settings& settings);

// The format of the model's own template. Throws ModelError if there is none, it is of no known
// family, or the tokenizer lacks its special tokens.
prompt::ChatFormat chat_format(const Settings& settings, const tokenizer::Tokenizer& tokenizer);

// The token ids of a chat. Special tokens are the template's own: where a message spells one, the
// spelling is cut behind its first character and its parts are encoded as ordinary text, so that no
// example can end its own turn. Sets `has_spelled` then. Messages without such spellings are
// encoded as the reference does.
TokenIds encode_chat(const prompt::ChatText& chat,
                     const tokenizer::Tokenizer& tokenizer,
                     bool& has_spelled);

}  // namespace labelprobe::experiment
