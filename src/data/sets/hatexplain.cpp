// HateXplain (Mathew et al., AAAI 2021) in the files of its authors: dataset.json with the posts
// and their annotators, post_id_divisions.json with the splits. Posts of a split that dataset.json
// lacks may come from majority_labels.jsonl, which knows their majority label only.
#include <algorithm>
#include <array>
#include <system_error>
#include <unordered_map>
#include <utility>

#include <fmt/ranges.h>

#include "labelprobe/core/error.h"
#include "labelprobe/files/json.h"
#include "labelprobe/files/text_file.h"

#include "data/reading/records.h"
#include "data/reading/votes.h"

namespace labelprobe::data {

namespace {

// The names of the files, in the order of our label set: hate, normal, offensive.
const std::array<std::string, 3> kFileLabels = {"hatespeech", "normal", "offensive"};

LabelIndex label_of(const files::JsonView& label) {
  return static_cast<LabelIndex>(label.choice("label", kFileLabels));
}

std::string text_of(const files::JsonView& post) {
  return fmt::format("{}", fmt::join(strings_of(post.at("post_tokens"), "words"), " "));
}

Record annotated_record(const std::string& post_id, const files::JsonView& post) {
  Record record{post_id, text_of(post), {}};
  const files::JsonView annotators = post.at("annotators");
  if (!annotators.value().is_array() || annotators.value().empty()) {
    annotators.fail_expected("a list of annotators");
  }
  std::vector<LabelIndex> votes;
  for (const files::JsonView& vote : annotators.items()) {
    votes.push_back(label_of(vote.at("label")));
    std::string annotator = id_of(vote.at("annotator_id"));
    check_annotator(annotator, vote.place());
    set_vote(record.votes, {std::move(annotator), {votes.back()}});
  }
  // The authors drop posts with three different votes from the splits; where there are any, they
  // stay here.
  record.votes.push_back({std::string(kAggregate), {majority_of(votes)}});
  return record;
}

// The posts of majority_labels.jsonl, read when the first post is missing elsewhere.
class MajorityPosts {
 public:
  explicit MajorityPosts(std::filesystem::path path) : path_(std::move(path)) {}

  bool exists() const {
    std::error_code error;
    return std::filesystem::exists(path_, error);
  }
  const std::filesystem::path& path() const { return path_; }

  struct Post {
    std::optional<Record> record;  // unset: the file does not know its label
    std::string place;
  };

  const Post* find(const std::string& post_id) {
    if (!is_read_) {
      read();
    }
    const auto found = posts_.find(post_id);
    return found == posts_.end() ? nullptr : &found->second;
  }

 private:
  void read() {
    is_read_ = true;
    for_each_json_line(path_, [&](const files::JsonView& row) {
      const std::string post_id = row.at("post_id").string();
      Post post{std::nullopt, row.place()};
      if (row.has("label")) {
        post.record =
            Record{post_id, text_of(row), {{std::string(kAggregate), {label_of(row.at("label"))}}}};
      }
      if (!posts_.emplace(post_id, std::move(post)).second) {
        row.fail(fmt::format("expected distinct posts, found '{}' again", post_id));
      }
    });
  }

  std::filesystem::path path_;
  bool is_read_ = false;
  std::unordered_map<std::string, Post> posts_;
};

void warn_about_posts(std::vector<std::string>& warnings,
                      const std::string& split,
                      const std::vector<std::string>& post_ids,
                      const std::string& what) {
  if (!post_ids.empty()) {
    warnings.push_back(fmt::format("Hatexplain, split {}: {} posts {}: {}", split, post_ids.size(),
                                   what, files::some_of(post_ids)));
  }
}

SplitRecords make_split(const std::string& split,
                        const std::vector<std::string>& post_ids,
                        const files::JsonView& posts,
                        const DatasetOptions& options,
                        MajorityPosts& majority_posts,
                        std::vector<std::string>& warnings) {
  const std::filesystem::path posts_path = options.root_dir / "dataset.json";
  SplitRecords records(split);
  std::vector<std::string> majority_only;
  std::vector<std::string> unlabelled;
  for (const std::string& post_id : post_ids) {
    if (const files::JsonView found = posts.find(post_id); !found.is_null()) {
      records.add(annotated_record(post_id, found), found.place());
      continue;
    }
    const MajorityPosts::Post* post =
        majority_posts.exists() ? majority_posts.find(post_id) : nullptr;
    if (post == nullptr) {
      throw DataError(
          fmt::format("{}: expected all {} posts of split '{}', found no post '{}' here or in "
                      "majority_labels.jsonl; fetch the authors' whole dataset.json",
                      posts_path.string(), post_ids.size(), split, post_id));
    }
    if (post->record) {
      records.add(*post->record, post->place);
      majority_only.push_back(post_id);
    } else {
      unlabelled.push_back(post_id);
    }
  }
  if (options.annotation_mode != AnnotationMode::Aggregate) {
    warn_about_posts(warnings, split, majority_only,
                     "have a majority label only (majority_labels.jsonl) and no annotators");
  }
  warn_about_posts(warnings, split, unlabelled,
                   "have no label in majority_labels.jsonl and are left out");
  return records;
}

}  // namespace

LoadedSplits load_hatexplain(const DatasetOptions& options) {
  static const std::array<std::string, 5> kSplits = {"train", "dev", "test", "val", "validation"};
  for (const std::string& split : options.splits) {
    check_split("Hatexplain", split, kSplits);
  }
  LoadedSplits loaded;
  loaded.label_set = LabelSet({"hate", "normal", "offensive"}, LabelKind::SingleLabel);
  const std::filesystem::path divisions_path = options.root_dir / "post_id_divisions.json";
  const std::filesystem::path posts_path = options.root_dir / "dataset.json";
  const files::JsonView divisions = load_data_json(divisions_path);
  const files::JsonView posts = load_data_json(posts_path);
  if (!posts.value().is_object()) {
    posts.fail_expected("an object post id -> post", posts.value().type_name());
  }
  MajorityPosts majority_posts(options.root_dir / "majority_labels.jsonl");
  for (const std::string& split : options.splits) {
    const bool is_dev = split == "dev" || split == "validation";
    const std::vector<std::string> post_ids =
        strings_of(divisions.at(is_dev ? "val" : split), "post ids");
    loaded.splits.push_back(
        make_split(split, post_ids, posts, options, majority_posts, loaded.warnings));
  }
  return loaded;
}

}  // namespace labelprobe::data
