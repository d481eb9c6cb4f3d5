#include "labelprobe/readout/answer_draft.h"

#include <algorithm>

namespace labelprobe::readout {

AnswerDraft::AnswerDraft(const tokenizer::Tokenizer& tokenizer,
                         std::span<const std::string> answers) {
  for (const std::string& answer : answers) {
    answers_.push_back(tokenizer.encode(answer, tokenizer::SpecialTokens::Omit));
    const TokenIds& ids = answers_.back();
    for (std::size_t i = 0; i + 1 < ids.size(); ++i) {
      places_[ids[i]].push_back({answers_.size() - 1, i + 1});
    }
  }
}

std::size_t AnswerDraft::n_matched(const Place& place, std::span<const TokenId> generated) const {
  const TokenIds& answer = answers_[place.answer];
  std::size_t n = 0;
  while (n < place.next && n < generated.size() &&
         answer[place.next - 1 - n] == generated[generated.size() - 1 - n]) {
    ++n;
  }
  return n;
}

TokenIds AnswerDraft::operator()(std::span<const TokenId> generated) const {
  if (generated.empty()) return {};
  const auto found = places_.find(generated.back());
  if (found == places_.end()) return {};
  const Place* best = nullptr;
  std::size_t n_most = 0;
  for (const Place& place : found->second) {
    const std::size_t n = n_matched(place, generated);
    if (n > n_most) {
      n_most = n;
      best = &place;
    }
  }
  const TokenIds& answer = answers_[best->answer];
  return TokenIds(answer.begin() + static_cast<std::ptrdiff_t>(best->next), answer.end());
}

}  // namespace labelprobe::readout
