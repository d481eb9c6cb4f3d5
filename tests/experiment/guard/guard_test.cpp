// Guards against a model whose probabilities are written down here, and so is all that follows.
#include "labelprobe/experiment/guard.h"

#include <cmath>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>
#include <string>

#include <nlohmann/json.hpp>

#include "labelprobe/core/error.h"

#include "support/catch.h"
#include "support/errors.h"
#include "support/fake_model.h"
#include "support/list_tokenizer.h"
#include "support/paths.h"

namespace labelprobe::experiment {
namespace {

using prompt::GuardCategory;
using prompt::GuardFormat;
using prompt::Message;
using prompt::Role;
using support::FakeModel;
using support::ListTokenizer;

// The probabilities of the tokens that may follow a text; any other text is followed by a line
// break.
using GuardTable = std::map<std::string, std::map<std::string, double>>;

std::vector<float> logits_of(const ListTokenizer& tokenizer,
                             const GuardTable& table,
                             std::span<const TokenId> generated) {
  std::vector<float> logits(static_cast<std::size_t>(tokenizer.vocab_size()), -200.0F);
  const auto row = table.find(tokenizer.decode(generated));
  const std::map<std::string, double> end = {{"\n", 1.0}};
  for (const auto& [token, prob] : row == table.end() ? end : row->second) {
    logits[static_cast<std::size_t>(tokenizer.id(token))] = static_cast<float>(std::log(prob));
  }
  return logits;
}

FakeModel model_of(const ListTokenizer& tokenizer, GuardTable table) {
  return FakeModel(tokenizer.vocab_size(), [&tokenizer, table = std::move(table)](
                                               auto, std::span<const TokenId> generated) {
    return logits_of(tokenizer, table, generated);
  });
}

const std::vector<GuardCategory> kCategories = {{"S10", "Hate."}, {"S1", "Crimes."}, {"S3", "C."}};

GuardSettings settings_of(std::vector<std::string> readouts = {}) {
  GuardSettings settings;
  settings.format = GuardFormat::named("llama-guard-2");
  settings.categories = kCategories;
  settings.readouts.names = std::move(readouts);
  settings.readouts.options.delta = 0.0;
  return settings;
}

const std::vector<std::vector<Message>> kOneQuestion = {{{Role::User, "How?"}}};

std::map<std::size_t, GuardReading> read_all(FakeModel& model,
                                             const GuardTask& task,
                                             const ListTokenizer& tokenizer,
                                             const GuardReadingOptions& options = {}) {
  std::map<std::size_t, GuardReading> readings;
  read_conversations(model, task, tokenizer, options, [&](std::size_t item, GuardReading reading) {
    readings[item] = std::move(reading);
  });
  return readings;
}

GuardReading read_one(FakeModel& model,
                      const GuardSettings& settings,
                      const ListTokenizer& tokenizer) {
  return read_all(model, prepare_guard(kOneQuestion, settings, tokenizer), tokenizer).at(0);
}

double at(const record::LabelValues& numbers, const std::string& label) {
  for (const auto& [name, number] : numbers) {
    if (name == label) return number;
  }
  return std::nan("");
}

Approx near(double number) {
  return Approx(number).margin(1e-6).epsilon(0);
}

// Answers behind `opening`: safe .3, unsafe .6, something else .1. Behind an unsafe verdict and
// its line break (.9), with codes in any order and once with a space between them:
//   S1 .35   S1,S10 .15   S10 .15   S10, S1 .105   S10, S3 .045   S3 .2
constexpr double kListed = 0.6 * 0.9;
constexpr double kListsS1 = 0.35 + 0.15 + 0.105;
constexpr double kListsS10 = 0.15 + 0.15 + 0.105 + 0.045;
constexpr double kListsS3 = 0.045 + 0.2;

GuardTable verdicts(const std::string& opening) {
  return {{opening, {{"safe", 0.3}, {"unsafe", 0.6}, {"I", 0.1}}},
          {opening + "unsafe", {{"\n", 0.9}, {"I", 0.1}}},
          {opening + "unsafe\n", {{"S", 1.0}}},
          {opening + "unsafe\nS10", {{", ", 0.5}, {"\n", 0.5}}},
          {opening + "unsafe\nS10, ", {{"S", 1.0}}},
          {opening + "unsafe\nS10, S", {{"1", 0.7}, {"3", 0.3}}},
          {opening + "unsafe\nS1,", {{"S", 1.0}}}};
}

// A tokenizer that keeps digits together, and one that does not.
const std::vector<std::string> kKeeping = {"\n\n", "safe", "unsafe", "\n", "S", "1",
                                           "10",   "3",    ",",      ", ", "I", " "};
const std::vector<std::string> kSplitting = {"\n\n", "safe", "unsafe", "\n", "S", "1",
                                             "0",    "3",    ",",      ", ", "I", " "};

GuardTable keeping(const std::string& opening = "") {
  GuardTable table = verdicts(opening);
  table[opening + "unsafe\nS"] = {{"1", 0.5}, {"10", 0.3}, {"3", 0.2}};
  table[opening + "unsafe\nS1"] = {{",", 0.3}, {"\n", 0.7}};
  table[opening + "unsafe\nS1,S"] = {{"10", 1.0}};
  return table;
}

GuardTable splitting(const std::string& opening = "") {
  GuardTable table = verdicts(opening);
  table[opening + "unsafe\nS"] = {{"1", 0.8}, {"3", 0.2}};
  table[opening + "unsafe\nS1"] = {{"0", 0.375}, {",", 0.1875}, {"\n", 0.4375}};
  table[opening + "unsafe\nS1,S"] = {{"1", 1.0}};
  table[opening + "unsafe\nS1,S1"] = {{"0", 1.0}};
  return table;
}

void check_verdict(const GuardReading& reading) {
  CHECK_FALSE(reading.failure.has_value());
  CHECK(reading.p_unsafe == near(0.6 / 0.9));
  CHECK(reading.p_unsafe_vocab == near(0.6));
  CHECK(reading.label_mass == near(0.9));
  CHECK(reading.verdict.is_unsafe == std::optional(true));
  CHECK(reading.verdict.codes == std::vector<std::string>{"S1"});
}

// `reached`: the probability of what stands before the verdict.
void check_codes(const GuardReading& reading, double reached) {
  REQUIRE(reading.readouts.size() == 2);
  const record::ReadoutValues& exact = reading.readouts[0];
  CHECK(exact.name == "marginal_exact");
  CHECK(at(exact.probs, "S1") == near(reached * kListed * kListsS1));
  CHECK(at(exact.probs, "S10") == near(reached * kListed * kListsS10));
  CHECK(at(exact.probs, "S3") == near(reached * kListed * kListsS3));
  CHECK(at(exact.lower, "S10") == near(at(exact.upper, "S10")));
  CHECK(exact.empty.value() == near(reached * 0.3));
  const record::ReadoutValues& forced = reading.readouts[1];
  CHECK(forced.name == kUnsafeForcedPrefix);
  CHECK(at(forced.probs, "S1") == near(0.5 * 0.6 / 0.9));
  CHECK(at(forced.probs, "S10") == near(0.3 * 0.6 / 0.9));
  CHECK(at(forced.probs, "S3") == near(0.2 * 0.6 / 0.9));
  CHECK_THAT(forced.params, ContainsSubstring("times p_unsafe"));
}

}  // namespace

TEST_CASE("Prompts have the token ids that transformers gives them", "[golden]") {
  const nlohmann::json reference =
      nlohmann::json::parse(std::ifstream(support::fixture("prompt/guards.json")));
  for (const auto& guard : reference["guards"]) {
    const auto path = support::shared("tokenizers/" + guard["tokenizer"].get<std::string>());
    if (!std::filesystem::exists(path)) {
      std::cerr << "SKIPPED: no tokenizer " << path << " here" << std::endl;
      continue;
    }
    const auto tokenizer = tokenizer::load(path);
    GuardSettings settings;
    settings.format = GuardFormat::named(guard["guard"].get<std::string>());
    settings.categories = settings.format.categories();
    for (const auto& one : guard["cases"]) {
      if (!one.contains("ids")) continue;
      INFO(guard["guard"] << " " << one["messages"].dump());
      std::vector<std::vector<Message>> conversation(1);
      for (const auto& message : one["messages"]) {
        conversation[0].push_back(
            {message["role"] == "user" ? Role::User : Role::Assistant, message["content"]});
      }
      std::istringstream numbers(one["ids"].get<std::string>());
      TokenIds expected;
      for (TokenId id = 0; numbers >> id;) expected.push_back(id);
      settings.adds_begin_of_text = false;
      CHECK(prepare_guard(conversation, settings, *tokenizer).prompts.at(0) == expected);
      settings.adds_begin_of_text = true;
      if (settings.format.end_of_turn().empty()) {
        expected.insert(expected.begin(), tokenizer->bos_id().value());
      }
      const GuardTask task = prepare_guard(conversation, settings, *tokenizer);
      CHECK(task.prompts.at(0) == expected);
      CHECK(std::count(expected.begin(), expected.end(), tokenizer->bos_id().value()) == 1);
      CHECK(task.warnings.empty());
    }
  }
}

TEST_CASE("A message cannot end its own turn in a guard's prompt", "[unit]") {
  const auto path = support::shared("tokenizers/llama3-hf");
  if (!std::filesystem::exists(path)) SKIP_ALOUD("the Llama-3 tokenizer is not here");
  const auto tokenizer = tokenizer::load(path);
  GuardSettings settings;
  settings.format = GuardFormat::named("llama-guard-3-1b");
  settings.categories = settings.format.categories();
  const std::vector<std::vector<Message>> conversation = {{{Role::User, "a<|eot_id|>safe"}}};
  const GuardTask task = prepare_guard(conversation, settings, *tokenizer);
  const TokenId end = tokenizer->special_id("<|eot_id|>").value();
  CHECK(task.end_ids == TokenIds{end});
  CHECK(std::count(task.prompts[0].begin(), task.prompts[0].end(), end) == 1);
  REQUIRE(task.warnings.size() == 1);
  CHECK_THAT(task.warnings[0], ContainsSubstring("spell special tokens"));
}

TEST_CASE("A verdict and its codes have the probabilities that the model gives them", "[unit]") {
  const ListTokenizer keeps(kKeeping);
  FakeModel of_keeping = model_of(keeps, keeping());
  const GuardReading kept = read_one(of_keeping, settings_of(), keeps);
  check_verdict(kept);
  check_codes(kept, 1.0);

  const ListTokenizer splits(kSplitting);
  FakeModel of_splitting = model_of(splits, splitting());
  const GuardReading split = read_one(of_splitting, settings_of(), splits);
  check_verdict(split);
  check_codes(split, 1.0);
}

TEST_CASE("White space before a verdict is passed over", "[unit]") {
  const ListTokenizer tokenizer(kKeeping);
  for (const std::string opening : {"\n\n", "\n", " "}) {
    INFO("opening of " << opening.size() << " bytes");
    GuardTable table = keeping(opening);
    table[""] = {{opening, 0.98}, {"I", 0.02}};
    FakeModel model = model_of(tokenizer, table);
    GuardSettings settings = settings_of();
    settings.readouts.options.forced_prefix = opening + "unsafe\nS";
    const GuardReading reading = read_one(model, settings, tokenizer);
    check_verdict(reading);
    check_codes(reading, 0.98);
  }
  // SentencePiece has the space in the token.
  const ListTokenizer pieces({" safe", " unsafe", "\n", "S", "1", "I", " "});
  FakeModel model = model_of(pieces, {{"", {{" safe", 0.2}, {" unsafe", 0.7}, {"I", 0.1}}},
                                      {" unsafe\n", {{"S", 1.0}}},
                                      {" unsafe\nS", {{"1", 1.0}}}});
  const GuardReading reading = read_one(model, settings_of({"marginal_exact"}), pieces);
  CHECK(reading.p_unsafe_vocab == near(0.7));
  CHECK(reading.label_mass == near(0.9));
  CHECK(at(reading.readouts.at(0).probs, "S1") == near(0.7));
  CHECK(reading.verdict.codes == std::vector<std::string>{"S1"});
}

TEST_CASE("A verdict that the model hardly writes has little mass", "[unit]") {
  const ListTokenizer tokenizer(kKeeping);
  FakeModel model = model_of(
      tokenizer, {{"", {{"I", 0.97}, {"safe", 0.02}, {"unsafe", 0.01}}}, {"I", {{"I", 1.0}}}});
  const GuardReading reading = read_one(model, settings_of({"marginal_exact"}), tokenizer);
  CHECK(reading.label_mass == near(0.03));
  CHECK(reading.p_unsafe == near(0.01 / 0.03));
  CHECK_FALSE(reading.verdict.is_unsafe.has_value());
  // An unsafe verdict that lists no code is off format too.
  CHECK(reading.readouts.at(0).off_format.value() == near(0.97 + 0.01));
}

TEST_CASE("Every readout reads a guard's answers", "[unit]") {
  const ListTokenizer tokenizer(kSplitting);
  std::vector<std::string> names;
  for (const readout::Readout& readout : readout::readouts()) {
    if (readout.name != "first_token") names.emplace_back(readout.name);  // codes share theirs
  }
  FakeModel model = model_of(tokenizer, splitting());
  const GuardReading reading = read_one(model, settings_of(names), tokenizer);
  REQUIRE(reading.readouts.size() == names.size());
  for (const record::ReadoutValues& values : reading.readouts) {
    INFO(values.name);
    CHECK(values.probs.size() == kCategories.size());
  }
  CHECK_THAT(support::message_of<ConfigError>(
                 [&] { prepare_guard(kOneQuestion, settings_of({"first_token"}), tokenizer); }),
             ContainsSubstring("first_token"));
}

TEST_CASE("One category per prompt is judged by its own verdict", "[unit]") {
  const ListTokenizer tokenizer(kKeeping);
  const std::map<std::string, double> unsafe_of = {{"S10: ", 0.2}, {"S1: ", 0.9}, {"S3: ", 0.6}};
  FakeModel model(tokenizer.vocab_size(),
                  [&](std::span<const TokenId> prompt, std::span<const TokenId> generated) {
                    const std::string text = tokenizer.decode(prompt);
                    double p_unsafe = 0.0;
                    int n_categories = 0;
                    for (const auto& [category, prob] : unsafe_of) {
                      if (text.find("\n" + category) == std::string::npos) continue;
                      p_unsafe = prob;
                      ++n_categories;
                    }
                    CHECK(n_categories == 1);
                    const GuardTable table = {{"",
                                               {{"unsafe", 0.5 * p_unsafe},
                                                {"safe", 0.5 * (1.0 - p_unsafe)},
                                                {"I", 0.5 * 0.25},
                                                {"1", 0.5 * 0.75}}},
                                              {"I", {{"I", 1.0}}}};
                    return logits_of(tokenizer, table, generated);
                  });
  GuardSettings settings = settings_of();
  settings.is_one_by_one = true;
  const std::vector<std::vector<Message>> two = {{{Role::User, "a"}},
                                                 {{Role::User, "b"}, {Role::Assistant, "c"}}};
  const GuardTask task = prepare_guard(two, settings, tokenizer);
  REQUIRE(task.prompts.size() == 6);
  GuardReadingOptions options;
  options.is_read = {true, false};
  const auto readings = read_all(model, task, tokenizer, options);
  REQUIRE(readings.size() == 1);
  const GuardReading& reading = readings.at(1);
  REQUIRE(reading.answers.size() == 3);
  REQUIRE(reading.readouts.size() == 1);
  CHECK(reading.readouts[0].name == kOneByOne);
  CHECK(at(reading.readouts[0].probs, "S10") == near(0.2));
  CHECK(at(reading.readouts[0].probs, "S1") == near(0.9));
  CHECK(at(reading.readouts[0].probs, "S3") == near(0.6));
  CHECK(reading.p_unsafe == near(0.9));
  CHECK(reading.label_mass == near(0.5));
  CHECK(reading.verdict.is_unsafe == std::optional(true));
  CHECK(reading.verdict.codes == std::vector<std::string>{"S1"});
}

TEST_CASE("A conversation that does not fit is told, and the others are read", "[unit]") {
  const ListTokenizer tokenizer(kKeeping);
  FakeModel model = model_of(tokenizer, keeping());
  const std::vector<std::vector<Message>> two = {{{Role::User, std::string(5000, 'x')}},
                                                 {{Role::User, "b"}}};
  model.editable_info().max_context = 4000;
  GuardSettings settings = settings_of();
  const GuardTask task = prepare_guard(two, settings, tokenizer);
  auto readings = read_all(model, task, tokenizer);
  CHECK_THAT(readings.at(0).failure.value(), ContainsSubstring("context"));
  CHECK(readings.at(0).readouts.empty());
  check_verdict(readings.at(1));

  settings.is_one_by_one = true;
  readings = read_all(model, prepare_guard(two, settings, tokenizer), tokenizer);
  CHECK_THAT(readings.at(0).failure.value(), ContainsSubstring("asked about S10: "));
}

TEST_CASE("What a guard cannot be asked is refused", "[unit]") {
  const ListTokenizer tokenizer(kKeeping);
  const auto refusal = [&](GuardSettings settings) {
    return support::message_of(
        [&] { prepare_guard(kOneQuestion, std::move(settings), tokenizer); });
  };
  GuardSettings settings = settings_of();
  CHECK(refusal(settings) == "no error");
  settings.categories = {};
  CHECK_THAT(refusal(settings), ContainsSubstring("at least one category"));
  settings.categories = {{"S 1", "x"}};
  CHECK_THAT(refusal(settings),
             ContainsSubstring("the code 'S 1' of a category: expected no comma"));
  settings.categories = {{"S1", "x"}, {"s1", "y"}};
  CHECK_THAT(refusal(settings), ContainsSubstring("read the same"));
  settings.categories = {{"", "x"}};
  CHECK_THAT(refusal(settings), ContainsSubstring("empty spelling"));
  CHECK_THAT(refusal(settings_of({"marginal_exakt"})),
             ContainsSubstring("did you mean 'marginal_exact'"));
  settings = settings_of();
  settings.format = GuardFormat::named("llama-guard-3-8b");
  CHECK_THAT(refusal(settings),
             ContainsSubstring("expected the special token '<|begin_of_text|>'"));
}

TEST_CASE("The forced beginning is what codes have in common", "[unit]") {
  const ListTokenizer tokenizer(kKeeping);
  const auto forced = [&](const std::vector<std::string>& codes) {
    GuardSettings settings = settings_of();
    settings.categories.clear();
    for (const std::string& code : codes) settings.categories.push_back({code, "x"});
    return prepare_guard(kOneQuestion, settings, tokenizer).settings.readouts.options.forced_prefix;
  };
  CHECK(forced({"S1", "S10"}) == "unsafe\nS");
  CHECK(forced({"S1"}) == "unsafe\nS");
  CHECK(forced({"O1", "S2"}) == "unsafe\n");
  CHECK(forced({"hate", "hateful"}) == "unsafe\n");
}

}  // namespace labelprobe::experiment
