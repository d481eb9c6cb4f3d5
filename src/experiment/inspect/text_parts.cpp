#include <algorithm>

#include "labelprobe/experiment/inspection.h"

namespace labelprobe::experiment {

namespace {

constexpr const char* kFirstToken = "first_token";
constexpr const char* kRest = "rest";

struct Span {
  const char* name;
  std::size_t begin;
  std::size_t end;
};

// Where the parts of a prompt's text are, in bytes: what lies in none is the rest.
std::vector<Span> spans_of(const prompt::Query& query, const std::string& stop) {
  std::vector<Span> spans;
  const std::string& text = query.text;
  const std::size_t input = text.rfind(query.query_text);
  if (query.query_text.empty() || input == std::string::npos) return spans;
  spans.push_back({"input", input, input + query.query_text.size()});
  if (stop.empty()) return spans;
  const std::size_t own = text.rfind(stop, input);
  const std::size_t first = text.find(stop);
  if (own == std::string::npos) return spans;
  if (first > 0) spans.push_back({"instruction", 0, first});
  if (first < own) spans.push_back({"demonstrations", first, own});
  return spans;
}

const char* name_at(const std::vector<Span>& spans, std::size_t byte) {
  for (const Span& span : spans) {
    if (byte >= span.begin && byte < span.end) return span.name;
  }
  return kRest;
}

void add_position(model::Positions& positions, std::int64_t position) {
  if (!positions.empty() && positions.back().end == position) {
    ++positions.back().end;
  } else {
    positions.push_back({position, position + 1});
  }
}

}  // namespace

std::vector<TextPart> parts_of_prompt(const prompt::Query& query,
                                      const std::string& stop,
                                      const TokenIds& prompt,
                                      const tokenizer::Tokenizer& tokenizer) {
  const tokenizer::Encoding encoding =
      tokenizer.encode_with_offsets(query.text, tokenizer::SpecialTokens::Add);
  // The text of a chat is not known.
  const bool is_known = encoding.ids == prompt;
  const std::vector<Span> spans = is_known ? spans_of(query, stop) : std::vector<Span>();
  std::vector<TextPart> parts;
  for (const char* name : {kFirstToken, "instruction", "demonstrations", "input", kRest}) {
    parts.push_back({name, {}});
  }
  for (std::size_t i = 0; i < prompt.size(); ++i) {
    const std::string name = i == 0     ? kFirstToken
                             : is_known ? name_at(spans, encoding.begins[i])
                                        : kRest;
    const auto part = std::find_if(parts.begin(), parts.end(),
                                   [&](const TextPart& one) { return one.name == name; });
    add_position(part->positions, static_cast<std::int64_t>(i));
  }
  std::erase_if(parts, [](const TextPart& part) { return part.positions.empty(); });
  return parts;
}

}  // namespace labelprobe::experiment
