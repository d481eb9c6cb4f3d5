#include "labelprobe/experiment/inspection.h"

#include "support/catch.h"
#include "support/list_tokenizer.h"

namespace labelprobe::experiment {
namespace {

// "name 0-2,5-6" for each part.
std::vector<std::string> described(const std::vector<TextPart>& parts) {
  std::vector<std::string> lines;
  for (const TextPart& part : parts) {
    std::string line = part.name;
    for (const model::PositionRange& range : part.positions) {
      line += " " + std::to_string(range.begin) + "-" + std::to_string(range.end);
    }
    lines.push_back(line);
  }
  return lines;
}

const support::ListTokenizer& tokenizer() {
  static const support::ListTokenizer made(
      {"Sort", " these", ".\n", "Input:", " good", " bad", "\nLabel:", " joy", " fear", "\n", " "});
  return made;
}

std::vector<std::string> parts_of(const std::string& text,
                                  const std::string& query_text,
                                  const std::string& stop) {
  prompt::Query query;
  query.text = text;
  query.query_text = query_text;
  const TokenIds ids = tokenizer().encode_with_offsets(text, tokenizer::SpecialTokens::Add).ids;
  return described(parts_of_prompt(query, stop, ids, tokenizer()));
}

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("A prompt is divided by its templates", "[unit]") {
  // Sort| these|.\n|Input:| good|\nLabel:| joy|\n|Input:| bad|\nLabel:
  CHECK(parts_of("Sort these.\nInput: good\nLabel: joy\nInput: bad\nLabel:", " bad", "Input:") ==
        Lines{"first_token 0-1", "instruction 1-3", "demonstrations 3-8", "input 9-10",
              "rest 8-9 10-11"});
  // The input's own words may stand in a demonstration too.
  CHECK(parts_of("Input: bad\nLabel: joy\nInput: bad\nLabel:", " bad", "Input:") ==
        Lines{"first_token 0-1", "demonstrations 1-5", "input 6-7", "rest 5-6 7-8"});
}

TEST_CASE("Without demonstrations, marks or text there are fewer parts", "[unit]") {
  CHECK(parts_of("Sort these.\nInput: bad\nLabel:", " bad", "Input:") ==
        Lines{"first_token 0-1", "instruction 1-3", "input 4-5", "rest 3-4 5-6"});
  CHECK(parts_of("Sort these.\nInput: bad\nLabel:", " bad", "") ==
        Lines{"first_token 0-1", "input 4-5", "rest 1-4 5-6"});
  CHECK(parts_of("Sort these.\n", "another", "Input:") == Lines{"first_token 0-1", "rest 1-3"});
  prompt::Query chat;
  chat.query_text = " bad";
  CHECK(described(parts_of_prompt(chat, "", {1, 2, 3}, tokenizer())) ==
        Lines{"first_token 0-1", "rest 1-3"});
}

}  // namespace labelprobe::experiment
