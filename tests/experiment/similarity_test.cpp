// Demonstrations by similarity, with vectors from a file and from a scripted encoder; no torch.
#include <algorithm>
#include <cmath>
#include <fstream>

#include "labelprobe/core/error.h"

#include "experiment/settings_for_tests.h"
#include "support/catch.h"

namespace labelprobe::experiment {
namespace {

// How often a text has the letters "e" and "o".
std::vector<float> letters_of(const std::string& text) {
  return {static_cast<float>(std::count(text.begin(), text.end(), 'e')),
          static_cast<float>(std::count(text.begin(), text.end(), 'o'))};
}

EncodedTexts encode_letters(std::span<const std::string> texts) {
  EncodedTexts encoded{2, {}, "letters"};
  for (const std::string& text : texts) {
    const std::vector<float> letters = letters_of(text);
    encoded.vectors.insert(encoded.vectors.end(), letters.begin(), letters.end());
  }
  return encoded;
}

Settings similarity_settings() {
  Settings settings = example_settings();
  settings.sampling = prompt::SamplingStrategy::parse("similarity");
  settings.n_shots = 3;
  return settings;
}

}  // namespace

TEST_CASE("An encoder chooses each query's demonstrations, and its fingerprint counts",
          "[similarity]") {
  Settings settings = similarity_settings();
  settings.sentence_vectors.encode = encode_letters;
  const Preparation first = prepare(settings, kTokenizer);
  const data::Dataset train = data::load(settings.task, settings.train);
  bool is_same = true;
  for (const prompt::Query& query : first.questions.queries) {
    REQUIRE(query.demonstration_ids.size() == 3);
    is_same = is_same && query.demonstration_ids == first.questions.queries[0].demonstration_ids;
    // By brute force: no other example is nearer than the first demonstration.
    const auto cosine = [&](const std::string& text) {
      const std::vector<float> a = letters_of(query.query_text);
      const std::vector<float> b = letters_of(text);
      const float length = std::hypot(a[0], a[1]) * std::hypot(b[0], b[1]);
      return length > 0 ? (a[0] * b[0] + a[1] * b[1]) / length : 0.0F;
    };
    float nearest = -1;
    float shown = -1;
    for (const Example& example : train.examples) {
      nearest = std::max(nearest, cosine(example.text));
      if (example.example_id == query.demonstration_ids[0]) {
        shown = cosine(example.text);
      }
    }
    CHECK(shown > nearest - 1e-5F);
  }
  CHECK_FALSE(is_same);
  settings.sentence_vectors.encode = [](std::span<const std::string> texts) {
    EncodedTexts encoded = encode_letters(texts);
    encoded.encoder_fingerprint = "others";
    return encoded;
  };
  const Preparation second = prepare(settings, kTokenizer);
  CHECK(second.questions.queries[0].text == first.questions.queries[0].text);
  CHECK(second.contents_fingerprint != first.contents_fingerprint);
}

TEST_CASE("A file's vectors choose the same demonstrations, and it must have them all",
          "[similarity]") {
  Settings settings = similarity_settings();
  settings.sentence_vectors.encode = encode_letters;
  const Preparation expected = prepare(settings, kTokenizer);
  const support::TempFolder folder;
  const std::filesystem::path path = folder.path() / "v.npy";
  std::string ids;
  std::string bytes;
  int n = 0;
  for (const data::DatasetOptions& options : {settings.train, settings.test}) {
    for (const Example& example : data::load(settings.task, options).examples) {
      ids += example.id() + "\n";
      const std::vector<float> letters = letters_of(example.text);
      bytes.append(reinterpret_cast<const char*>(letters.data()), 8);
      ++n;
    }
  }
  const std::string header =
      "{'descr': '<f4', 'fortran_order': False, 'shape': (" + std::to_string(n) + ", 2), }\n";
  std::ofstream(path, std::ios::binary)
      << std::string("\x93NUMPY\x01\x00", 8) << static_cast<char>(header.size()) << '\0' << header
      << bytes;
  std::ofstream(path.string() + ".ids.txt") << ids;
  settings.sentence_vectors = {path, {}};
  const Preparation from_file = prepare(settings, kTokenizer);
  REQUIRE(from_file.prompts.size() == expected.prompts.size());
  CHECK(from_file.prompts == expected.prompts);

  std::ofstream(path.string() + ".ids.txt") << "x" << ids;
  CHECK_THROWS_WITH(prepare(settings, kTokenizer),
                    ContainsSubstring("none of 1 of them, the first"));
}

TEST_CASE("Similarity without vectors names both flags", "[similarity]") {
  CHECK_THROWS_WITH(prepare(similarity_settings(), kTokenizer),
                    ContainsSubstring("give --sentence-vectors FILE or "
                                      "--sentence-model-name-or-path MODEL"));
}

}  // namespace labelprobe::experiment
