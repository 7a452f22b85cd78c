/* Bytes in, the same bytes out, in pieces of odd sizes; a summary on standard error. */
#include <stdio.h>
#include <unistd.h>

int main(void)
{
    static unsigned char buffer[8191];
    unsigned long long total = 0, zeros = 0;
    unsigned sum = 0;
    ssize_t size;

    while ((size = read(0, buffer, 1 + total % sizeof buffer)) > 0) {
        for (ssize_t i = 0; i < size; i++) {
            zeros += buffer[i] == 0;
            sum = sum * 31 + buffer[i];
        }
        total += (unsigned long long)size;
        for (ssize_t done = 0, part; done < size; done += part)
            if ((part = write(1, buffer + done, (size_t)(size - done))) < 0)
                return 1;
    }
    fprintf(stderr, "%llu bytes, %llu zeros, %08x\n", total, zeros, sum);
    return size < 0;
}
