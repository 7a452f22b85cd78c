// C++ without exceptions: containers, strings, streams, virtual functions, lambdas, static objects with
// destructors. Counts the words of the files that the arguments name.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <iomanip>
#include <iostream>
#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <unordered_map>
#include <vector>

namespace {

struct Farewell {
    ~Farewell() { std::cout << "static object destroyed\n"; }
} farewell;

class Shape {
public:
    virtual ~Shape() = default;
    virtual double area() const = 0;
    virtual std::string name() const { return "shape"; }
};

class Square : public Shape {
public:
    explicit Square(double side) : side_(side) {}
    double area() const override { return side_ * side_; }
    std::string name() const override { return "square"; }
private:
    double side_;
};

class Circle : public Shape {
public:
    explicit Circle(double radius) : radius_(radius) {}
    double area() const override { return 3.14159265358979 * radius_ * radius_; }
private:
    double radius_;
};

template <typename T> T fold(const std::vector<T> &values, T start, std::function<T(T, T)> f)
{
    for (const T &value : values)
        start = f(start, value);
    return start;
}

int count(const std::string &path)
{
    std::unique_ptr<std::FILE, int (*)(std::FILE *)> source(std::fopen(path.c_str(), "r"), std::fclose);
    if (!source) {
        std::cerr << path << ": cannot be opened\n";
        return 1;
    }
    std::stringstream file;
    for (char part[100]; std::size_t size = std::fread(part, 1, sizeof part, source.get());)
        file.write(part, static_cast<std::streamsize>(size));
    std::unordered_map<std::string, int> words;
    std::map<std::size_t, std::set<std::string>> lengths;
    for (std::string word; file >> word;) {
        word.erase(std::remove_if(word.begin(), word.end(), [](unsigned char c) { return !std::isalpha(c); }), word.end());
        std::transform(word.begin(), word.end(), word.begin(), [](unsigned char c) { return std::tolower(c); });
        if (word.empty())
            continue;
        words[word]++;
        lengths[word.size()].insert(word);
    }
    std::vector<std::pair<std::string, int>> order(words.begin(), words.end());
    std::sort(order.begin(), order.end(), [](const auto &a, const auto &b) {
        return a.second != b.second ? a.second > b.second : a.first < b.first;
    });
    for (std::size_t i = 0; i < std::min<std::size_t>(order.size(), 8); i++)
        std::cout << std::setw(4) << order[i].second << ' ' << order[i].first << '\n';
    std::cout << "longest:";
    for (const auto &word : lengths.rbegin()->second)
        std::cout << ' ' << word;
    std::cout << '\n';
    return 0;
}

}

int main(int argc, char **argv)
{
    std::vector<std::unique_ptr<Shape>> shapes;
    shapes.push_back(std::make_unique<Square>(1.5));
    shapes.push_back(std::make_unique<Circle>(2));
    for (const auto &shape : shapes)
        std::cout << shape->name() << ' ' << std::fixed << std::setprecision(3) << shape->area() << '\n';
    std::cout << fold<long>({ 1, 2, 3, 4, 5 }, 1, [](long a, long b) { return a * b; }) << '\n';

    std::ostringstream text;
    text << std::hex << std::showbase << 48879 << ' ' << std::boolalpha << true << ' ' << std::scientific << 12345.678;
    std::cout << text.str() << '\n';

    int failures = 0;
    for (int i = 1; i < argc; i++)
        failures += count(argv[i]);
    return failures;
}
