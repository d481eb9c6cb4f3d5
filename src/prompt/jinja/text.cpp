#include "prompt/jinja/text.h"

#include <algorithm>

namespace labelprobe::prompt::jinja {

namespace {

bool goes_on(const Origin& before, const Origin& origin) {
  return before.end == origin.begin && before.source == origin.source &&
         before.source_begin != Origin::kChanged && origin.source_begin != Origin::kChanged &&
         before.source_begin + (before.end - before.begin) == origin.source_begin;
}

}  // namespace

Text Text::of_source(std::string bytes, int source) {
  Text text(std::move(bytes));
  if (!text.bytes_.empty()) text.origins_.push_back({0, text.bytes_.size(), source, 0});
  return text;
}

void Text::append(const Text& more) {
  const std::size_t shift = bytes_.size();
  bytes_ += more.bytes_;
  for (Origin origin : more.origins_) {
    origin.begin += shift;
    origin.end += shift;
    if (!origins_.empty() && goes_on(origins_.back(), origin)) {
      origins_.back().end = origin.end;
    } else {
      origins_.push_back(origin);
    }
  }
}

Text Text::part(std::size_t begin, std::size_t end) const {
  Text text(bytes_.substr(begin, end - begin));
  for (const Origin& origin : origins_) {
    const std::size_t from = std::max(begin, origin.begin);
    const std::size_t to = std::min(end, origin.end);
    if (from >= to) continue;
    const bool is_changed = origin.source_begin == Origin::kChanged;
    text.origins_.push_back(
        {from - begin, to - begin, origin.source,
         is_changed ? Origin::kChanged : origin.source_begin + (from - origin.begin)});
  }
  return text;
}

Text Text::part(std::string_view view) const {
  if (view.empty()) return Text();
  const auto begin = static_cast<std::size_t>(view.data() - bytes_.data());
  return part(begin, begin + view.size());
}

Text Text::respelled(std::string bytes) const {
  Text text(std::move(bytes));
  if (text.bytes_.size() == bytes_.size()) {
    text.origins_ = origins_;
  } else if (!origins_.empty() && !text.bytes_.empty()) {
    text.origins_.push_back({0, text.bytes_.size(), origins_.front().source, Origin::kChanged});
  }
  return text;
}

}  // namespace labelprobe::prompt::jinja
