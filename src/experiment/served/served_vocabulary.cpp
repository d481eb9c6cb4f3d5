#include "experiment/served/served_vocabulary.h"

#include <algorithm>
#include <array>

#include "labelprobe/core/error.h"
#include "labelprobe/core/fingerprint.h"
#include "labelprobe/core/utf8.h"

namespace labelprobe::experiment {

namespace {

constexpr TokenId kTurnBegins = 256;  // behind the bytes
constexpr TokenId kTurnEnds = 257;
constexpr std::array<std::string_view, 2> kSpecials = {"<|im_start|>", "<|im_end|>"};

bool is_letter(char c) {
  return static_cast<unsigned char>(c) >= 0x80 || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_ascii_digit(char c) {
  return c >= '0' && c <= '9';
}

// How many bytes the token at the beginning of a text that is not empty has.
std::size_t token_length(std::string_view text) {
  const std::size_t begin = text.front() == ' ' && text.size() > 1 ? 1 : 0;
  for (const auto belongs : {is_letter, is_ascii_digit}) {
    std::size_t end = begin;
    while (end < text.size() && belongs(text[end])) ++end;
    if (end > begin) return end;
  }
  return 1;
}

}  // namespace

const char* ServedVocabulary::chat_template() {
  return "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + "
         "message['content'] + '<|im_end|>' + '\n'}}{% endfor %}{% if add_generation_prompt %}{{ "
         "'<|im_start|>assistant\n' }}{% endif %}";
}

ServedVocabulary::ServedVocabulary() {
  for (int byte = 0; byte < 256; ++byte) {
    tokens_.emplace_back(1, static_cast<char>(byte));
    ids_.emplace(tokens_.back(), static_cast<TokenId>(byte));
  }
  tokens_.resize(tokens_.size() + kSpecials.size());  // they have no bytes
  Fingerprint fingerprint;
  fingerprint.add("words of a server");
  fingerprint_ = fingerprint.hex();
}

tokenizer::Encoding ServedVocabulary::encode_with_offsets(std::string_view text,
                                                          tokenizer::SpecialTokens) const {
  if (const std::size_t broken = first_non_utf8(text); broken != text.size()) {
    throw DataError("expected UTF-8, found something else at byte " + std::to_string(broken));
  }
  tokenizer::Encoding encoding;
  for (std::size_t at = 0; at < text.size();) {
    const std::string_view rest = text.substr(at);
    const auto special = std::find_if(kSpecials.begin(), kSpecials.end(),
                                      [&](std::string_view of) { return rest.starts_with(of); });
    const std::size_t length = special != kSpecials.end() ? special->size() : token_length(rest);
    encoding.ids.push_back(special != kSpecials.end() ? *special_id(*special)
                                                      : id_of(rest.substr(0, length)));
    encoding.begins.push_back(at);
    encoding.ends.push_back(at += length);
  }
  return encoding;
}

std::string ServedVocabulary::decode(std::span<const TokenId> ids) const {
  std::string bytes;
  for (const TokenId id : ids) {
    bytes += token_bytes(id);
  }
  return utf8_lossy(bytes);
}

std::string ServedVocabulary::token_bytes(TokenId id) const {
  const std::scoped_lock lock(mutex_);
  return tokens_.at(static_cast<std::size_t>(id));
}

std::optional<TokenId> ServedVocabulary::special_id(std::string_view text) const {
  const auto found = std::find(kSpecials.begin(), kSpecials.end(), text);
  if (found == kSpecials.end()) return std::nullopt;
  return kTurnBegins + static_cast<TokenId>(found - kSpecials.begin());
}

int ServedVocabulary::vocab_size() const {
  const std::scoped_lock lock(mutex_);
  return static_cast<int>(tokens_.size());
}

TokenId ServedVocabulary::id_of(std::string_view bytes) const {
  const std::scoped_lock lock(mutex_);
  const auto found = ids_.find(bytes);
  if (found != ids_.end()) return found->second;
  const auto id = static_cast<TokenId>(tokens_.size());
  ids_.emplace(bytes, id);
  tokens_.emplace_back(bytes);
  return id;
}

std::string ServedVocabulary::text(std::span<const TokenId> ids) const {
  std::string text;
  for (const TokenId id : ids) {
    const bool is_special = id == kTurnBegins || id == kTurnEnds;
    text += is_special ? std::string(kSpecials[static_cast<std::size_t>(id - kTurnBegins)])
                       : token_bytes(id);
  }
  return text;
}

std::vector<server::Message> ServedVocabulary::messages(std::span<const TokenId> ids) const {
  std::vector<server::Message> messages;
  auto begin = std::find(ids.begin(), ids.end(), kTurnBegins);
  for (;;) {
    const auto end = std::find(begin, ids.end(), kTurnEnds);
    if (end == ids.end()) return messages;
    const std::string turn = text({begin + 1, end});
    const std::size_t line = turn.find('\n');
    LABELPROBE_CHECK(line != std::string::npos);
    messages.push_back({turn.substr(0, line), turn.substr(line + 1)});
    begin = std::find(end, ids.end(), kTurnBegins);
  }
}

}  // namespace labelprobe::experiment
