#include "experiment/prepare/sentence_vectors.h"

#include <utility>
#include <vector>

#include "labelprobe/core/error.h"
#include "labelprobe/data/vector_file.h"

namespace labelprobe::experiment {

namespace {

std::vector<std::string> texts_of(std::span<const Example> examples) {
  std::vector<std::string> texts;
  for (const Example& example : examples) {
    texts.push_back(example.text);
  }
  return texts;
}

}  // namespace

SentenceVectors make_sentence_vectors(const Settings& settings,
                                      std::span<const Example> train,
                                      std::span<const Example> queries) {
  const SentenceVectorSource& source = settings.sentence_vectors;
  const bool is_needed = settings.sampling.kind == prompt::SamplingStrategy::Kind::Similarity &&
                         settings.n_shots > 0 && !settings.plan->samples_by_itself;
  if (!is_needed || (source.file.empty() && !source.encode)) {
    return {};
  }
  prompt::SentenceVectors vectors;
  std::string fingerprint;
  if (!source.file.empty()) {
    const data::VectorFile file = data::VectorFile::load(source.file);
    vectors.n_dims = file.n_dims();
    vectors.train = file.vectors_of(train);
    vectors.queries = file.vectors_of(queries);
  } else {
    EncodedTexts of_train = source.encode(texts_of(train));
    EncodedTexts of_queries = source.encode(texts_of(queries));
    LABELPROBE_CHECK(of_train.n_dims == of_queries.n_dims);
    vectors.n_dims = of_train.n_dims;
    vectors.train = std::move(of_train.vectors);
    vectors.queries = std::move(of_queries.vectors);
    fingerprint = std::move(of_train.encoder_fingerprint);
  }
  return {std::make_shared<const prompt::SentenceVectors>(std::move(vectors)),
          std::move(fingerprint)};
}

}  // namespace labelprobe::experiment
