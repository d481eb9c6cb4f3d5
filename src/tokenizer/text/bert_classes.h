// The character classes of BERT's tokenizers, as the reference has them.
#pragma once

#include <cstdint>

namespace labelprobe::tokenizer {

bool is_bert_dropped(std::uint32_t code);      // controls, formats, private use, U+0000, U+FFFD
bool is_bert_ideograph(std::uint32_t code);    // a word of its own
bool is_bert_accent(std::uint32_t code);       // a mark that takes no space
bool is_bert_punctuation(std::uint32_t code);  // likewise ASCII's symbols

}  // namespace labelprobe::tokenizer
