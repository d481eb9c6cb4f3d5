#include "tokenizer/stages/added_tokens.h"

#include <algorithm>

#include "labelprobe/core/utf8.h"

#include "tokenizer/text/unicode.h"

namespace labelprobe::tokenizer {

namespace {

bool is_word_alone(std::string_view text, Range range) {
  const bool has_word_before =
      range.begin > 0 && is_word(character_at(text, character_start(text, range.begin - 1)).code);
  const bool has_word_after =
      range.end < text.size() && is_word(character_at(text, range.end).code);
  return !has_word_before && !has_word_after;
}

std::size_t skip_spaces(std::string_view text, std::size_t at) {
  while (at < text.size()) {
    const Character character = character_at(text, at);
    if (!is_white_space(character.code)) {
      break;
    }
    at += character.n_bytes;
  }
  return at;
}

std::size_t skip_spaces_back(std::string_view text, std::size_t end, std::size_t first) {
  while (end > first) {
    const std::size_t start = character_start(text, end - 1);
    if (start < first || !is_white_space(character_at(text, start).code)) {
      break;
    }
    end = start;
  }
  return end;
}

}  // namespace

void AddedTokenFinder::add(std::string_view word, const AddedToken& token) {
  if (word.empty()) {
    return;
  }
  begins_[static_cast<unsigned char>(word[0])] = true;
  std::uint32_t node = 0;
  for (const char c : word) {
    const std::uint64_t edge = (std::uint64_t{node} << 8) | static_cast<unsigned char>(c);
    const auto [found, is_new] =
        edges_.try_emplace(edge, static_cast<std::uint32_t>(token_of_node_.size()));
    if (is_new) {
      token_of_node_.push_back(-1);
    }
    node = found->second;
  }
  token_of_node_[node] = static_cast<int>(tokens_.size());
  tokens_.push_back(token);
}

AddedTokenFinder::Match AddedTokenFinder::longest_at(std::string_view text, std::size_t at) const {
  Match longest;
  std::uint32_t node = 0;
  for (std::size_t end = at; end < text.size();) {
    const std::uint64_t edge = (std::uint64_t{node} << 8) | static_cast<unsigned char>(text[end]);
    const auto found = edges_.find(edge);
    if (found == edges_.end()) {
      break;
    }
    node = found->second;
    ++end;
    if (token_of_node_[node] >= 0) {
      longest = {{at, end}, token_of_node_[node]};
    }
  }
  return longest;
}

std::vector<Segment> AddedTokenFinder::split(std::string_view text) const {
  std::vector<Segment> segments;
  std::size_t done = 0;
  for (std::size_t at = 0; !tokens_.empty() && at < text.size();) {
    const Match match =
        begins_[static_cast<unsigned char>(text[at])] ? longest_at(text, at) : Match{};
    if (match.token < 0) {
      ++at;
      continue;
    }
    // Also a word that is then passed over hides shorter and later ones inside it, as the
    // reference's search does.
    at = match.range.end;
    const AddedToken& token = tokens_[static_cast<std::size_t>(match.token)];
    Range range = match.range;
    if (range.begin < done || (token.single_word && !is_word_alone(text, range))) {
      continue;
    }
    if (token.lstrip) {
      range.begin = skip_spaces_back(text, range.begin, done);
    }
    if (token.rstrip) {
      range.end = skip_spaces(text, range.end);
    }
    if (done < range.begin) {
      segments.push_back({{done, range.begin}, std::nullopt});
    }
    segments.push_back({range, token.id});
    done = range.end;
    at = std::max(at, done);
  }
  if (done < text.size()) {
    segments.push_back({{done, text.size()}, std::nullopt});
  }
  return segments;
}

}  // namespace labelprobe::tokenizer
