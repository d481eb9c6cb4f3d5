// Several threads ask, one after the other takes the next question; the calling thread hands out
// what comes back.
#include "labelprobe/server/answerer.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "labelprobe/core/error.h"
#include "labelprobe/server/open.h"

#include "server/client.h"
#include "server/dialect.h"
#include "server/reply.h"
#include "server/tokens.h"

namespace labelprobe::server {

namespace {

using Kind = NoAnswer::Kind;

// So many questions one after the other without an answer, and the rest is not asked.
constexpr int kMostInRow = 5;

struct Result {
  std::size_t question = 0;
  TextAnswer answer;
  std::optional<Kind> kind;            // of its failure
  std::exception_ptr error = nullptr;  // of the program's, not of the server's
};

// The threads of one call, which end with it.
class Asking {
 public:
  Asking(std::span<const Question> questions,
         const Wanted& wanted,
         const Options& options,
         const std::string& key,
         const Dialect& dialect)
      : questions_(questions),
        wanted_(wanted),
        options_(options),
        key_(key),
        dialect_(dialect),
        gate_(options.requests_per_minute) {
    const auto n_threads =
        std::min(questions.size(), static_cast<std::size_t>(options.max_concurrent));
    for (std::size_t i = 0; i < n_threads; ++i) {
      threads_.emplace_back([this] { work(); });
    }
  }

  ~Asking() {
    gate_.close();
    for (std::thread& thread : threads_) thread.join();
  }
  Asking(const Asking&) = delete;
  Asking& operator=(const Asking&) = delete;

  Result next() {
    std::unique_lock lock(mutex_);
    arrival_.wait(lock, [&] { return !results_.empty(); });
    Result result = std::move(results_.front());
    results_.pop_front();
    return result;
  }

 private:
  void work() {
    try {
      Client client(options_, key_, gate_);
      for (std::size_t i = take(); i < questions_.size() && !gate_.is_closed(); i = take()) {
        put(ask(client, i));
      }
    } catch (...) {
      Result result;
      result.error = std::current_exception();
      put(std::move(result));
    }
  }

  Result ask(Client& client, std::size_t i) const {
    Result result;
    result.question = i;
    const Question& question = questions_[i];
    try {
      const files::JsonView reply = client.post(address_for(question, options_),
                                                body_of(question, wanted_, options_, dialect_));
      result.answer = read_reply(reply, question);
    } catch (const NoAnswer& error) {
      result.kind = error.kind();
      result.answer.failure = error.what();
    } catch (const ModelError& error) {
      result.kind = Kind::Malformed;
      result.answer.failure = error.what();
    }
    return result;
  }

  std::size_t take() {
    const std::scoped_lock lock(mutex_);
    return next_++;
  }

  void put(Result result) {
    const std::scoped_lock lock(mutex_);
    results_.push_back(std::move(result));
    arrival_.notify_one();
  }

  std::span<const Question> questions_;
  const Wanted& wanted_;
  const Options& options_;
  const std::string& key_;
  const Dialect& dialect_;
  Gate gate_;
  std::mutex mutex_;
  std::condition_variable arrival_;
  std::size_t next_ = 0;
  std::deque<Result> results_;
  std::vector<std::thread> threads_;
};

class HttpAnswerer final : public Answerer {
 public:
  explicit HttpAnswerer(Options options) : options_(std::move(options)), key_(find_key()) {
    while (options_.address.ends_with('/')) options_.address.pop_back();
    Gate gate(options_.requests_per_minute);
    Client client(options_, key_, gate);
    dialect_ = identify(client, options_);
  }

  void answer(std::span<const Question> questions,
              const Wanted& wanted,
              const AnswerSink& sink) override {
    Asking asking(questions, wanted, options_, key_, dialect_);
    int n_in_row = 0;
    for (std::size_t n_left = questions.size(); n_left > 0; --n_left) {
      Result result = asking.next();
      if (result.error) std::rethrow_exception(result.error);
      if (result.kind == Kind::Denied) throw ModelError(*result.answer.failure);
      // One that will not answer some questions is at hand: it answers others.
      const bool counts = result.kind && (result.kind != Kind::Refused || !has_answered_);
      n_in_row = counts ? n_in_row + 1 : result.kind ? n_in_row : 0;
      has_answered_ = has_answered_ || !result.kind;
      if (n_in_row == kMostInRow) {
        throw ModelError(fmt::format("{} questions in a row got no answer, the last one: {}",
                                     n_in_row, *result.answer.failure));
      }
      sink(result.question, result.answer);
    }
  }

  std::optional<std::vector<Piece>> tokenize(const std::string& text) override {
    Gate gate(options_.requests_per_minute);
    Client client(options_, key_, gate);
    return server::tokenize(client, dialect_, text);
  }

  const Capabilities& can() const override { return dialect_.capabilities; }

 private:
  Options options_;
  std::string key_;
  Dialect dialect_;
  bool has_answered_ = false;
};

// A user and a password in it would end up in logs.
void check_address(const std::string& address) {
  const std::size_t begin = address.find("://") + 3;
  const std::size_t end = address.find_first_of("/?#", begin);
  const std::string_view host = std::string_view(address).substr(begin, end - begin);
  if (host.find('@') != std::string_view::npos) {
    throw ConfigError(
        "the address of a server: expected no user and no password in it; give the key in "
        "OPENAI_API_KEY or in .env");
  }
  if (host.empty() || address.find_first_of(" \t\r\n?#") != std::string::npos) {
    throw ConfigError(address + ": expected an address like http://localhost:8000/v1");
  }
}

}  // namespace

bool is_address(std::string_view name) {
  return name.starts_with("http://") || name.starts_with("https://");
}

std::unique_ptr<Answerer> open(const Options& options) {
  check_address(options.address);
  return std::make_unique<HttpAnswerer>(options);
}

}  // namespace labelprobe::server
