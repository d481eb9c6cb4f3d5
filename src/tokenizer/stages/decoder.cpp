#include "tokenizer/stages/decoder.h"

#include <array>

#include "labelprobe/core/utf8.h"

namespace labelprobe::tokenizer {

namespace {

using Tokens = std::vector<std::string>;

Tokens run_step(Tokens tokens, const ReplaceText& decoder) {
  if (!decoder.text.empty()) {
    for (std::string& token : tokens) {
      token = replace_all(token, decoder.text, decoder.content);
    }
  }
  return tokens;
}

Tokens run_step(Tokens tokens, const JoinByteTokens&) {
  Tokens joined;
  std::string bytes;
  const auto flush = [&] {
    if (first_non_utf8(bytes) == bytes.size()) {
      joined.push_back(bytes);
    } else {
      joined.insert(joined.end(), bytes.size(), "\uFFFD");
    }
    bytes.clear();
  };
  for (std::string& token : tokens) {
    const int byte = byte_of_token(token);
    if (byte >= 0) {
      bytes += static_cast<char>(byte);
      continue;
    }
    if (!bytes.empty()) {
      flush();
    }
    joined.push_back(std::move(token));
  }
  if (!bytes.empty()) {
    flush();
  }
  return joined;
}

Tokens run_step(Tokens tokens, const Fuse&) {
  std::string text;
  for (const std::string& token : tokens) {
    text += token;
  }
  return {text};
}

Tokens run_step(Tokens tokens, const StripEnds& decoder) {
  const std::string& character = decoder.character;
  for (std::string& token : tokens) {
    for (std::size_t i = 0; i < decoder.n_start && token.starts_with(character); ++i) {
      token.erase(0, character.size());
    }
    for (std::size_t i = 0; i < decoder.n_stop && token.ends_with(character); ++i) {
      token.erase(token.size() - character.size());
    }
  }
  return tokens;
}

Tokens run_step(Tokens tokens, const RestoreSpaces& decoder) {
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    // In the first token every replacement is dropped, not only the first one.
    tokens[i] =
        replace_all(tokens[i], decoder.replacement, i == 0 && decoder.drops_first ? "" : " ");
  }
  return tokens;
}

Tokens run_step(Tokens tokens, const JoinBytes&) {
  std::string bytes;
  for (const std::string& token : tokens) {
    bytes += token;
  }
  return {utf8_lossy(bytes)};
}

Tokens run_step(Tokens tokens, const JoinWordPieces& decoder) {
  constexpr std::array<std::array<std::string_view, 2>, 11> kCleanings = {{{" .", "."},
                                                                           {" ?", "?"},
                                                                           {" !", "!"},
                                                                           {" ,", ","},
                                                                           {" ' ", "'"},
                                                                           {" n't", "n't"},
                                                                           {" 'm", "'m"},
                                                                           {" do not", " don't"},
                                                                           {" 's", "'s"},
                                                                           {" 've", "'ve"},
                                                                           {" 're", "'re"}}};
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    std::string& token = tokens[i];
    if (i > 0) {
      token = token.starts_with(decoder.prefix) ? token.substr(decoder.prefix.size()) : " " + token;
    }
    for (const auto& [from, to] : kCleanings) {
      if (decoder.cleans_up) {
        token = replace_all(token, from, to);
      }
    }
  }
  return tokens;
}

// GPT-2's table: printable Latin-1 characters stand for themselves, the other 68 bytes for U+0100
// and up, in order. -1 for characters that stand for no byte.
const std::array<int, 0x144>& byte_of_printable() {
  static const auto table = [] {
    std::array<int, 0x144> bytes{};
    bytes.fill(-1);
    std::size_t next = 0x100;
    for (int byte = 0; byte < 256; ++byte) {
      const bool is_printable =
          (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
      bytes[is_printable ? static_cast<std::size_t>(byte) : next++] = byte;
    }
    return bytes;
  }();
  return table;
}

}  // namespace

std::string decode_tokens(Tokens tokens, const std::vector<Decoder>& decoders) {
  for (const Decoder& decoder : decoders) {
    tokens =
        std::visit([&](const auto& each) { return run_step(std::move(tokens), each); }, decoder);
  }
  return run_step(std::move(tokens), Fuse{})[0];
}

int byte_of_token(std::string_view token) {
  if (token.size() != 6 || !token.starts_with("<0x") || token[5] != '>') {
    return -1;
  }
  int byte = 0;
  for (const char c : token.substr(3, 2)) {
    const bool is_digit = c >= '0' && c <= '9';
    const bool is_letter = (c >= 'A' && c <= 'F') || (c >= 'a' && c <= 'f');
    if (!is_digit && !is_letter) {
      return -1;
    }
    byte = byte * 16 + (is_digit ? c - '0' : (c | 0x20) - 'a' + 10);
  }
  return byte;
}

std::string bytes_of_printable(std::string_view token, bool* is_all_printable) {
  std::string bytes;
  for (std::size_t at = 0; at < token.size();) {
    const Character character = character_at(token, at);
    const int byte = character.n_bytes > 0 && character.code < byte_of_printable().size()
                         ? byte_of_printable()[character.code]
                         : -1;
    if (byte < 0) {
      if (is_all_printable != nullptr) {
        *is_all_printable = false;
      }
      return std::string(token);
    }
    bytes += static_cast<char>(byte);
    at += character.n_bytes;
  }
  return bytes;
}

}  // namespace labelprobe::tokenizer
